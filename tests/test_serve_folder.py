"""The example of a third face: it knows no pixels, and is whole in one file."""

import importlib.util
import threading
from http.server import ThreadingHTTPServer
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import cv2
import numpy as np
import pytest

from tests.conftest import texture

FILE = Path(__file__).parents[1] / "examples/serve_folder.py"


@pytest.fixture
def address(tmp_path):
    spec = importlib.util.spec_from_file_location("serve_folder", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sharp = texture(48, 64, 2)
    (tmp_path / "an ant").mkdir()
    for n, frame in enumerate((sharp, cv2.GaussianBlur(sharp, (0, 0), 2))):
        cv2.imwrite(str(tmp_path / f"an ant/{n}.png"), frame)
    page = type("Page", (module.Page,), {"folder": tmp_path, "log_message": lambda *_: None})
    server = ThreadingHTTPServer(("127.0.0.1", 0), page)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_stacks_are_listed_and_fused(address):
    assert "an%20ant" in urlopen(f"{address}/").read().decode()
    data = urlopen(f"{address}/an%20ant?system=guided&mode=select").read()
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), -1)
    assert picture.shape == (48, 64, 3)


@pytest.mark.parametrize(
    ("asked", "code", "words"),
    [
        ("/nobody", 404, "an%20ant"),
        ("/an%20ant?mode=selct", 400, "blend or select"),
        ("/an%20ant?threads=two", 400, "two"),
        ("/an%20ant?colour=red", 400, "colour"),
        ("/../../etc", 404, "an%20ant"),
    ],
)
def test_what_is_wrong_is_told(address, asked, code, words):
    with pytest.raises(HTTPError) as caught:
        urlopen(address + asked)
    assert caught.value.code == code
    assert words in caught.value.read().decode()
    caught.value.close()

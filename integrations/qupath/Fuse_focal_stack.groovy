// Fuse the Z-stack of the open image with panfocus, and open the result.
//
// Install: Extensions or Automate > Script editor > Open this file, then Run; or put it into the folder of shared
// scripts. QuPath 0.5 or later. With an annotation selected, the rectangle around it is fused; else the whole image.
// The result, an OME-TIFF with smaller copies, lies beside the image and joins the project, if one is open.

import java.awt.image.BufferedImage
import javafx.application.Platform
import qupath.fx.dialogs.Dialogs
import qupath.lib.gui.tools.GuiTools
import qupath.lib.images.servers.ImageServerProvider
import qupath.lib.images.writers.ome.OMEPyramidWriter
import qupath.lib.plugins.parameters.ParameterList
import static qupath.lib.gui.scripting.QPEx.*

/** What panfocus reads by itself, when the whole of it is wanted. */
READ = [".ome.tif", ".ome.tiff", ".tif", ".tiff", ".nd2", ".lif", ".ome.zarr", ".zarr"]

def server = getCurrentServer()
if (server == null || server.nZSlices() < 2) {
    Dialogs.showErrorMessage("panfocus", "Open an image with several Z-slices first.")
    return
}
def params = new ParameterList()
    .addStringParameter("command", "panfocus (command or path)", "panfocus")
    .addChoiceParameter("system", "System", "dualpath", ["dualpath", "guided", "drpl-small", "pyramid"])
    .addBooleanParameter("depth", "Depth map, in µm", false)
if (!GuiTools.showParameterDialog("Fuse focal stack", params)) return

def image = new File(server.getURIs()[0])
def region = getSelectedObject()?.getROI()
def target = free(image.parentFile, stem(image) + (region == null ? "_fused" : "_part_fused"))
def folder = File.createTempDir()
try {
    def words = [params.getStringParameterValue("command"), "fuse", *source(server, image, region, folder)]
    words += ["-o", target.path, "--system", params.getChoiceParameterValue("system"), "--pyramid", "on", "--quiet"]
    if (params.getBooleanParameterValue("depth")) words << "--depth-map"
    println "panfocus: " + words.join(" ")
    def process = new ProcessBuilder(words as String[]).redirectErrorStream(true).start()
    process.outputStream.close()
    def said = process.inputStream.getText("UTF-8")
    if (process.waitFor() != 0) {
        Dialogs.showErrorMessage("panfocus", "The stack could not be fused:\n" + said)
        return
    }
    print said
} catch (IOException error) {
    Dialogs.showErrorMessage("panfocus", error.message + "\nThe dialogue takes the path of panfocus, too.")
    return
} finally {
    folder.deleteDir()
}
open(target)

/** The file with options that choose from it: the image's own, or what QuPath writes of a region. */
List source(server, File image, region, File folder) {
    def series = (server.getPath() =~ /--series[,\s=]+(\d+)/)
    if (region == null && READ.any { image.name.toLowerCase().endsWith(it) }) {
        return series.find() ? [image.path, "--only", "P=" + series.group(1)] : [image.path]
    }
    def file = new File(folder, "stack.ome.tif")
    def writer = new OMEPyramidWriter.Builder(server).allZSlices().allTimePoints()
    if (region != null) {
        writer = writer.region(
            region.boundsX as int, region.boundsY as int, region.boundsWidth as int, region.boundsHeight as int)
    }
    writer.build().writePyramid(file.path)
    return [file.path]
}

/** The name of an image without its ending. */
String stem(File image) {
    def name = image.name
    def ending = READ.find { name.toLowerCase().endsWith(it) }
    return ending != null ? name[0..<-ending.length()] : name.replaceFirst(/\.[^.]+$/, "")
}

/** A name that nothing has yet. */
File free(File folder, String name) {
    def file = new File(folder, name + ".ome.tif")
    for (int n = 2; file.exists(); n++) file = new File(folder, name + "_" + n + ".ome.tif")
    return file
}

/** Put the result into the project, if there is one, and show it. */
void open(File file) {
    def project = getProject()
    if (project == null) {
        Platform.runLater { getQuPath().openImage(getCurrentViewer(), file.path, false, false) }
        return
    }
    def support = ImageServerProvider.getPreferredUriImageSupport(BufferedImage.class, file.toURI().toString())
    def entry = project.addImage(support.builders.get(0))
    entry.setImageName(file.name)
    project.syncChanges()
    Platform.runLater {
        getQuPath().refreshProject()
        getQuPath().openImageEntry(entry)
    }
}

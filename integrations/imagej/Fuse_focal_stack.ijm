// Fuse the open focal stack with panfocus, and open what comes of it.
//
// Install: save this file as Fiji.app/plugins/panfocus/Fuse_focal_stack.ijm (or ImageJ/plugins/), start
// anew, and run Plugins > panfocus > Fuse focal stack. Or drag it onto ImageJ's window and run it.
// Of a hyperstack every time and channel is fused along Z; units, times and colours are kept.
// From another macro: runMacro(path, "system=guided align=none depth confidence").

command = call("ij.Prefs.get", "panfocus.command", "panfocus");
system = call("ij.Prefs.get", "panfocus.system", "dualpath");
align = "none";
depth = false;
index = false;
confidence = false;

told = getArgument();
if (told == "") {
    Dialog.create("Fuse focal stack");
    Dialog.addString("panfocus (command or path)", command, 40);
    Dialog.addChoice("System", newArray("dualpath", "guided", "drpl-small", "pyramid"), system);
    Dialog.addChoice("Align planes", newArray("none", "auto", "translation", "similarity"), align);
    Dialog.addCheckbox("Depth map (in the unit of Z)", true);
    Dialog.addCheckbox("Index map (number of the plane)", false);
    Dialog.addCheckbox("Confidence map", false);
    Dialog.addMessage("The pyramid makes no maps.");
    Dialog.show();
    command = Dialog.getString();
    system = Dialog.getChoice();
    align = Dialog.getChoice();
    depth = Dialog.getCheckbox();
    index = Dialog.getCheckbox();
    confidence = Dialog.getCheckbox();
    call("ij.Prefs.set", "panfocus.command", command);
    call("ij.Prefs.set", "panfocus.system", system);
} else {
    words = split(told, " ");
    for (n = 0; n < words.length; n++) {
        if (startsWith(words[n], "system=")) system = substring(words[n], 7);
        else if (startsWith(words[n], "align=")) align = substring(words[n], 6);
        else if (startsWith(words[n], "command=")) command = substring(words[n], 8);
        else if (words[n] == "depth") depth = true;
        else if (words[n] == "index") index = true;
        else if (words[n] == "confidence") confidence = true;
        else exit("panfocus: unknown word " + words[n]);
    }
}

if (nImages == 0) exit("panfocus: open a focal stack first");
getDimensions(width, height, channels, slices, frames);
if (slices == 1 && channels == 1 && frames > 1) {
    // a plain stack is often taken for a series of times
    Stack.setDimensions(1, frames, 1);
    slices = frames;
}
if (slices < 2) exit("panfocus: the image has one plane along Z; see Image > Properties");

title = getTitle();
folder = getDirectory("temp") + "panfocus-" + d2s(getTime(), 0) + File.separator;
File.makeDirectory(folder);
source = folder + "stack.tif";
fused = folder + "fused.tif";
id = getImageID();
run("Duplicate...", "title=panfocus-stack duplicate");
saveAs("Tiff", source);
close();
selectImage(id);

words = newArray(command, "fuse", source, "-o", fused, "--system", system, "--align", align, "--quiet");
if (depth) words = Array.concat(words, "--depth-map");
if (index) words = Array.concat(words, "--index-map");
if (confidence) words = Array.concat(words, "--confidence-map");
showStatus("panfocus fuses " + title);
said = run_command(words);

gone = File.delete(source);
if (!File.exists(fused)) {
    gone = File.delete(folder);
    exit("panfocus could not fuse the stack, \"" + command + "\" said:\n" + said);
}
if (depth) show(folder + "fused_depth.tif", title + " depth");
if (index) show(folder + "fused_index.tif", title + " index");
if (confidence) show(folder + "fused_confidence.tif", title + " confidence");
show(fused, title + " fused");
copy_colours(id, channels);
gone = File.delete(folder);

function run_command(words) {
    // exec() takes words, not an array of them
    list = "";
    for (n = 0; n < words.length; n++) {
        word = replace(words[n], "\\\\", "\\\\\\\\");
        word = replace(word, "\"", "\\\\\"");
        list = list + ", \"" + word + "\"";
    }
    return eval("return exec(" + substring(list, 2) + ");");
}

function show(path, name) {
    if (!File.exists(path)) return;
    open(path);
    rename(name);
    gone = File.delete(path);
}

function copy_colours(from, channels) {
    if (bitDepth() == 24) return;
    fused_id = getImageID();
    selectImage(from);
    mode = "";
    if (is("composite")) Stack.getDisplayMode(mode);
    for (c = 1; c <= channels; c++) {
        selectImage(from);
        if (channels > 1) Stack.setChannel(c);
        getLut(reds, greens, blues);
        selectImage(fused_id);
        if (channels > 1) Stack.setChannel(c);
        setLut(reds, greens, blues);
    }
    if (mode != "") Stack.setDisplayMode(mode);
}

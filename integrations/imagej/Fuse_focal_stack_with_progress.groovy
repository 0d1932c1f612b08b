// Fuse the open focal stack with panfocus: the dialogue of Fuse_focal_stack.ijm, and besides a choice of the
// channel that decides for all, a progress bar, and Esc to stop.
//
// Install: save this file in Fiji.app/plugins/panfocus/, start anew, and run
// Plugins > panfocus > Fuse focal stack with progress. It needs Groovy, which Fiji brings along.

import groovy.json.JsonSlurper
import ij.IJ
import ij.ImagePlus
import ij.CompositeImage
import ij.Prefs
import ij.gui.GenericDialog
import ij.io.FileSaver

EACH = "each for itself"
MAPS = ["depth", "index", "confidence"]

ImagePlus stack = IJ.getImage()
if (stack.NSlices == 1 && stack.NChannels == 1 && stack.NFrames > 1) {
    // a plain stack is often taken for a series of times
    stack.setDimensions(1, stack.NFrames, 1)
}
if (stack.NSlices < 2) {
    IJ.error("panfocus", "The image has one plane along Z; see Image > Properties.")
    return
}
Map wanted = asked(stack)
if (wanted == null) return

File folder = File.createTempDir()
try {
    File source = new File(folder, "stack.tif")
    new FileSaver(stack).saveAsTiffStack(source.path)
    File fused = new File(folder, "fused.tif")
    String said = run(words(wanted, source, fused))
    if (!fused.exists()) {
        if (said != null) IJ.error("panfocus", "The stack could not be fused:\n" + said)
        return
    }
    MAPS.each { map -> show(new File(folder, "fused_${map}.tif"), "${stack.title} ${map}", null) }
    show(fused, "${stack.title} fused", stack)
} finally {
    folder.deleteDir()
    IJ.showProgress(1.0d)
    IJ.showStatus("")
}

/** Ask what is wanted; null where the dialogue is cancelled. Macros hand over the same words. */
Map asked(ImagePlus stack) {
    List channels = [EACH] + (1..stack.NChannels).collect { "channel ${it}".toString() }
    GenericDialog dialog = new GenericDialog("Fuse focal stack")
    dialog.addStringField("panfocus (command or path)", Prefs.get("panfocus.command", "panfocus"), 40)
    String[] systems = ["dualpath", "guided", "drpl-small", "pyramid"]
    dialog.addChoice("System", systems, Prefs.get("panfocus.system", "dualpath"))
    dialog.addChoice("Align planes", ["none", "auto", "translation", "similarity"] as String[], "none")
    dialog.addChoice("Channels are decided", channels as String[], EACH)
    dialog.addCheckbox("Depth map (in the unit of Z)", true)
    dialog.addCheckbox("Index map (number of the plane)", false)
    dialog.addCheckbox("Confidence map", false)
    dialog.addMessage("The pyramid makes no maps.")
    dialog.showDialog()
    if (dialog.wasCanceled()) return null
    Map wanted = [
        command: dialog.nextString, system: dialog.nextChoice, align: dialog.nextChoice,
        guide: channels.indexOf(dialog.nextChoice) - 1, maps: MAPS.findAll { dialog.nextBoolean },
    ]
    Prefs.set("panfocus.command", wanted.command)
    Prefs.set("panfocus.system", wanted.system)
    return wanted
}

/** The command line. */
List words(Map wanted, File source, File fused) {
    List words = [wanted.command, "fuse", source.path, "-o", fused.path, "--json-progress"]
    words += ["--system", wanted.system, "--align", wanted.align]
    if (wanted.guide >= 0) words += ["--guide-channel", wanted.guide.toString()]
    return words + wanted.maps.collect { "--${it}-map".toString() }
}

/** Run it with a progress bar; return what it said, or null where Esc was pressed. */
String run(List words) {
    List said = []
    IJ.resetEscape()
    Process process
    try {
        process = new ProcessBuilder(words as String[]).redirectErrorStream(true).start()
    } catch (IOException error) {
        return error.message + "\n`which panfocus` in a terminal tells where it is."
    }
    Thread.startDaemon {
        while (process.alive) {
            if (IJ.escapePressed()) process.destroy()
            sleep(200)
        }
    }
    process.outputStream.close()
    process.inputStream.eachLine("UTF-8") { line ->
        Map told = line.startsWith("{") ? new JsonSlurper().parseText(line) : null
        if (told == null) {
            said << line
        } else {
            IJ.showProgress(told.share as double)
            IJ.showStatus("panfocus: " + told.message)
        }
    }
    process.waitFor()
    said.findAll { it.startsWith("note:") }.each { IJ.log("panfocus: " + it) }
    return IJ.escapePressed() ? null : said.join("\n")
}

/** Open a file under a name, in the colours of the stack that it comes from. */
void show(File file, String title, ImagePlus like) {
    if (!file.exists()) return
    ImagePlus image = IJ.openImage(file.path)
    image.title = title
    if (like != null && image.bitDepth != 24) {
        if (like instanceof CompositeImage && image instanceof CompositeImage) {
            image.copyLuts(like)
        } else {
            image.processor.setLut(like.processor.lut)
        }
    }
    image.show()
}

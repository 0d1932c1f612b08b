package qupath.lib.gui.scripting

/** What scripts ask QuPath for; the test tells it by system properties, and reads what is printed. */
class QPEx {
    static getCurrentServer() {
        def image = System.getProperty("image")
        return image == null ? null : [
            nZSlices: { -> System.getProperty("slices", "3") as int },
            getURIs: { -> [new File(image).toURI()] },
            getPath: { -> "BioFormatsImageServer: " + new File(image).toURI() + System.getProperty("series", "") },
        ]
    }

    static getSelectedObject() {
        def region = System.getProperty("region")
        if (region == null) return null
        def (x, y, w, h) = region.split(",").collect { it as double }
        return [getROI: { -> [boundsX: x, boundsY: y, boundsWidth: w, boundsHeight: h] }]
    }

    static getProject() {
        return System.getProperty("project") == null ? null : [
            addImage: { builder ->
                println "added ${builder}"
                [setImageName: { println "named ${it}" }]
            },
            syncChanges: { -> println "synced" },
        ]
    }

    static getCurrentViewer() { "viewer" }

    static getQuPath() {
        return [
            openImage: { viewer, path, prompt, urls -> println "opened ${path}" },
            openImageEntry: { println "opened the entry" },
            refreshProject: { -> println "refreshed" },
        ]
    }
}

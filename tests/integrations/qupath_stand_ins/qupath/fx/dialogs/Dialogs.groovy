package qupath.fx.dialogs

class Dialogs {
    static showErrorMessage(String title, String message) { println "error ${message}" }
}

package qupath.lib.gui.tools

class GuiTools {
    static boolean showParameterDialog(String title, params) { System.getProperty("cancelled") == null }
}

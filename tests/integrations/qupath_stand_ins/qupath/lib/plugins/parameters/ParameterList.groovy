package qupath.lib.plugins.parameters

class ParameterList {
    Map values = [:]

    def addStringParameter(String key, String prompt, String value) { put(key, value) }

    def addBooleanParameter(String key, String prompt, boolean value) { put(key, value) }

    def addChoiceParameter(String key, String prompt, Object value, List choices) {
        assert value in choices
        put(key, value)
    }

    private put(String key, value) {
        values[key] = value instanceof Boolean ? System.getProperty(key) != null : System.getProperty(key, value)
        return this
    }

    def getStringParameterValue(String key) { values[key] }

    def getBooleanParameterValue(String key) { values[key] }

    def getChoiceParameterValue(String key) { values[key] }
}

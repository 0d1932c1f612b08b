package qupath.lib.images.servers

class ImageServerProvider {
    static getPreferredUriImageSupport(Class kind, String uri) { [builders: [uri]] }
}

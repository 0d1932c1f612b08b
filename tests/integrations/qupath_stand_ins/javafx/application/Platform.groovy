package javafx.application

class Platform {
    static runLater(Runnable work) { work.run() }
}

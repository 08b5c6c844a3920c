"""Training curves of a model folder, live while it is trained; TensorBoard itself where it is installed."""

from flask import jsonify
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from dss_ports.webapps import chosen_folder
from vision_recipes.watch import tensorboard_pages, watch

model = chosen_folder("model_folder")


@app.route("/curves")  # noqa: F821 (the host puts `app` here)
def curves():
    return jsonify(watch(model))


app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/tensorboard": tensorboard_pages(model)})  # noqa: F821

"""The columns that recipes write besides those of classify and extract: one tuple for each output."""

from __future__ import annotations

from vision_recipes.rows import IMAGES, Column

METRICS = (
    Column("metric", "string", "Name of the metric"),
    Column("class", "string", "The class it applies to; empty for all classes together"),
    Column("predicted", "string", "For the confusion matrix: the predicted class"),
    Column("value", "double", "Value of the metric"),
    Column("support", "bigint", "Number of pictures it is computed from"),
    Column("slice_column", "string", "For metrics of a slice: the column that defines the slices"),
    Column("slice", "string", "For metrics of a slice: its value in that column"),
)

JUDGED = (
    IMAGES,
    Column("truth", "string", "True label; empty when there is none"),
    Column("label", "string", "Predicted label; empty when there is none"),
    Column("right", "int", "1 when the prediction is correct, 0 when not, empty when a label is missing"),
    Column("probability", "double", "Probability of the predicted label"),
    Column("probability_of_truth", "double", "Probability of the true label; empty when the scored dataset lacks it"),
    Column("verdict", "string", "known, unsure or unknown, as written by the classify recipe"),
    Column("other_label", "string", "Label predicted by the other model"),
    Column("other_right", "int", "1 when the other model is correct, 0 when not"),
    Column("reason", "string", "Why there is no prediction; empty when there is one"),
)

EXPLAINED = (
    IMAGES,
    Column("number", "int", "Number of the picture among those that are explained, from 1"),
    Column("label", "string", "The label that is explained"),
    Column("probability", "double", "Probability of this label"),
    Column("truth", "string", "True label, from the evaluated pictures; empty when it is not known"),
    Column("border_share", "double", "Fraction of the saliency in the outer tenth of each side; evenly spread: 0.36"),
    Column("centre_x", "double", "Centre of the saliency, from 0 (left) to 1 (right)"),
    Column("centre_y", "double", "Centre of the saliency, from 0 (top) to 1 (bottom)"),
    Column("extent", "double", "Smallest fraction of the area with half of the saliency; evenly spread: 0.5"),
    Column("drop_hottest", "double", "Drop in probability when the most salient fifth of the picture is hidden"),
    Column("drop_random", "double", "Drop in probability when a random fifth of the picture is hidden, mean of three"),
    Column("warning", "string", "Why the saliency map says little; empty when it does not"),
    Column("overlay", "string", "Path of the saliency map in the folder of saliency maps"),
    Column("error", "int", "1 when the picture could not be read, else 0"),
    Column("reason", "string", "Why there is no saliency map; empty when there is one"),
)

CHECKED = (
    IMAGES,
    Column("label", "string", "The given label"),
    Column("suggested_label", "string", "The label that the model suggests"),
    Column("suspicion", "double", "Probability, from 0 to 1, that the given label is wrong"),
    Column("issue", "string", "wrong_label, conflicting_copy, copy, outlier or unreadable; empty when there is none"),
    Column("probability", "double", "Probability of the given label, by a model that was not trained on the picture"),
    Column("strangeness", "double", "Outlier score: mean distance to the nearest neighbours; 1 is typical"),
    Column("neighbours", "string", "JSON array of the nearest neighbours: path, label, likeness (cosine similarity)"),
    Column(
        "decision",
        "string",
        "accept (keep the given label), relabel (use the suggested label) or drop; for you to fill in",
    ),
    Column("rank", "bigint", "1 = most suspicious"),
)

MONITORED = (
    Column("time", "string", "When the run took place: ISO 8601, UTC"),
    Column("model", "string", "Name of the model"),
    Column("source", "string", "Where the new pictures come from: the folder or the log"),
    Column("alarm", "int", "1 when the new pictures differ, or can hardly be read, else 0"),
    Column("reasons", "string", "Of an alarm, separated by commas: looks, unknown, label_mix, repeated, unreadable"),
    Column("summary", "string", "The result in words"),
    Column("p_value", "double", "How probable such a difference would be by chance, all tests together"),
    Column("separability", "double", "Area under the ROC curve of old against new: 0.5 alike, 1 wholly different"),
    Column("pictures", "bigint", "New pictures that were scored"),
    Column("unreadable", "bigint", "New files that could not be read"),
    Column("reference_pictures", "bigint", "Pictures that they were compared with"),
    Column("unknown_share", "double", "Fraction of new pictures with the verdict unknown"),
    Column("unsure_share", "double", "Fraction of new pictures with the verdict unsure"),
    Column("expected_unknown_share", "double", "Fraction of reference pictures with the verdict unknown"),
    Column("expected_unsure_share", "double", "Fraction of reference pictures with the verdict unsure"),
    Column("expected_flagged_share", "double", "Fraction of reference pictures that are unknown or unsure"),
    Column("label_mix_change", "double", "Fraction of pictures that would need another label for the mixes to agree"),
    Column("expected_accuracy", "double", "Accuracy expected on the new pictures, without their true labels"),
    Column("expected_accuracy_low", "double", "Lower end of its 95 % interval"),
    Column("expected_accuracy_high", "double", "Upper end of its 95 % interval"),
    Column("validation_accuracy", "double", "Accuracy on the validation pictures that the model keeps"),
    Column("repeated_share", "double", "Fraction of new pictures that are the same as another one"),
    Column("p_looks", "double", "p-value of the test of looks alone"),
    Column(
        "p_within_labels",
        "double",
        "The same within predicted labels; only when an alarm may come from their mix",
    ),
    Column("p_unknown", "double", "p-value of the fraction of unknown and unsure pictures"),
    Column("p_label_mix", "double", "p-value of the mix of predicted labels"),
)

MOVED = (
    IMAGES,
    Column("time", "string", "When the endpoint answered, for pictures of a log: ISO 8601, UTC"),
    Column("score", "double", "How new it looks, in standard deviations of the reference pictures; highest first"),
    Column("label", "string", "The predicted label"),
    Column("probability", "double", "Probability of the predicted label"),
    Column("verdict", "string", "known, unsure or unknown; empty without a detector"),
    Column("nearest", "string", "Path of the most similar reference picture"),
    Column("nearest_label", "string", "Its label"),
    Column("similarity", "double", "Cosine similarity of the two"),
)

NEIGHBOURS = (
    IMAGES,
    Column("rank", "bigint", "1 = the most similar; empty when the picture has no neighbour"),
    Column("neighbour", "string", "Path of the similar picture"),
    Column("similarity", "double", "Cosine similarity of the two feature vectors less their mean, at most 1"),
    Column("error", "int", "1 when the picture has no usable feature vector, else 0"),
    Column("reason", "string", "Why there is no neighbour; empty when there is one"),
)

GROUPED = (
    IMAGES,
    Column("group", "string", "Name of the group of copies: the path of its representative"),
    Column("size", "bigint", "How many pictures the group has"),
    Column("kind", "string", "exact, near or same_vector: what makes it a copy of the representative; or single"),
    Column("representative", "string", "Path of the picture that is kept"),
    Column("in_other", "int", "1 when the representative is in the other folder or dataset, else 0"),
    Column("agreement", "double", "How well the two pictures agree, from 0.75 to 1"),
    Column("keep", "int", "1 for one picture of each group, 0 for the others"),
    Column("decision", "string", "drop where keep is 0; the retrain recipe can apply it"),
    Column("error", "int", "1 when the picture has no usable feature vector, else 0"),
    Column("reason", "string", "Why there is no group; empty when there is one"),
)

COMPARED = (
    Column("rank", "bigint", "1 = the winner; empty for networks that cannot be used"),
    Column("chosen", "int", "1 for the winner, else 0"),
    Column("candidate", "string", "The candidate in words"),
    Column("model", "string", "Name of the network"),
    Column("folder", "string", "Name of its model folder; empty for a network of the catalogue"),
    Column("model_hash", "string", "Identifies the network"),
    Column("head_features", "string", "As in vision-retrain: last or several"),
    Column("last_layer", "string", "As in vision-retrain: linear or kernel"),
    Column("image_resize", "string", "As in vision-retrain: model, squash, crop or pad"),
    Column("image_width", "bigint", "As in vision-retrain; 0 = the network's own"),
    Column("image_height", "bigint", "As in vision-retrain; 0 = the network's own"),
    Column("data_augmentation", "boolean", "As in vision-retrain"),
    Column("n_augmentation", "bigint", "As in vision-retrain: copies of each picture"),
    Column("accuracy", "double", "Fraction of the held-out pictures that is right, in cross-validation"),
    Column("accuracy_low", "double", "Lower end of its 95 % interval"),
    Column("accuracy_high", "double", "Upper end of its 95 % interval"),
    Column("log_loss", "double", "Mean log loss of the held-out pictures"),
    Column("difference", "double", "Accuracy minus the winner's, on the same pictures; below 0 = worse"),
    Column("difference_low", "double", "Lower end of its 95 % interval"),
    Column("difference_high", "double", "Upper end of its 95 % interval"),
    Column("comparison", "string", "The difference in words"),
    Column("pictures_per_second", "double", "Read and computed on this machine; empty when all were cached"),
    Column("megabytes", "double", "Size of the model folder"),
    Column("pareto", "int", "1 when no faster candidate is as accurate, else 0; empty without a speed"),
    Column("pictures", "bigint", "Labelled pictures that it was compared on"),
    Column("reason", "string", "Why it was compared on no more pictures, or on none; empty for those that were"),
)

MAPPED = (
    IMAGES,
    Column("x", "double", "Place on the map, from -1 (left) to 1 (right)"),
    Column("y", "double", "Place on the map, from -1 (bottom) to 1 (top)"),
    Column("cluster", "bigint", "Number of the cluster, 1 for the largest; empty for pictures between clusters"),
    Column("cluster_name", "string", "What sets the cluster apart, or its number; none for pictures between clusters"),
    Column("representative", "int", "1 for the picture that stands for its cluster (the medoid), else 0"),
    Column("reason", "string", "Why the picture is not on the map; empty when it is"),
)

FEATURE_LEADERBOARD = (
    Column("rank", "bigint", "1 = best; empty for what was not tried"),
    Column("model", "string", "Kind of model"),
    Column(
        "inputs", "string", "vector, columns, both, or stacked: a linear model's answer to the vector, and the columns"
    ),
    Column("settings", "string", "Its settings"),
    Column("metric", "string", "Name of the metric"),
    Column("value", "double", "Value of the metric on rows that the model has not seen, by cross-validation"),
    Column("low", "double", "Lower end of its 95 % interval"),
    Column("high", "double", "Upper end of its 95 % interval"),
    Column("behind", "double", "How much worse than the best, in the unit of the metric"),
    Column("behind_low", "double", "Lower end of the 95 % interval of that difference, row by row"),
    Column("behind_high", "double", "Upper end"),
    Column("rows", "bigint", "Rows that took part"),
    Column("chosen", "int", "1 for the model that is saved, else 0"),
    Column("reason", "string", "Why it was not tried; empty when it was"),
)

IMPORTANCE = (
    Column("input", "string", "The column; (vector) is the vector as a whole"),
    Column("kind", "string", "vector, number, category or date"),
    Column("importance", "double", "How much worse the metric is when the cells are shuffled, on rows not seen"),
    Column("low", "double", "Lower end of its 95 % interval"),
    Column("high", "double", "Upper end of its 95 % interval"),
    Column("used", "int", "1 when the chosen model uses it, else 0"),
    Column("reason", "string", "Why the column is no input; empty when it is"),
)

VALUED = (
    IMAGES,
    Column("value", "double", "The predicted number"),
    Column("low", "double", "Lower end of its 90 % interval; empty when there were too few rows to know it"),
    Column("high", "double", "Upper end of its 90 % interval"),
    Column("error", "int", "1 when there is no feature vector to predict from, else 0"),
    Column("reason", "string", "Why there is no prediction; empty when there is one"),
)

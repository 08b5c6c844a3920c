"""Names of the DSS API that need a DSS instance, by what has them.

They are those of the API reference (developer.dataiku.com/latest/api-reference/python) and of what public plugins use.
The page docs/dss-api.md has them beside the names that are here.
"""

from __future__ import annotations

_NAMES = {
    "dataiku": """APINodeClient HiveExecutor ImpalaExecutor KnowledgeBank Model ModelEvaluationStore SQLExecutor
        StreamingEndpoint clear_remote_dss set_remote_dss""",
    "dataiku.core.dataset": "DatasetCursor create_sampling_argument",
    "dataiku.core.metrics": "CheckDataPoint ComputedChecks MetricDataPoint",
    "dataikuapi": "APINodeAdminClient APINodeClient DSSClient FMClientAWS FMClientAzure FMClientGCP GovernClient",
    "dataiku.Dataset": "get_continuous_writer get_fast_path_dataframe set_preparation_steps to_html",
    "dataiku.Folder": "get_last_metric_values save_external_check_values save_external_metric_values",
    "DSSClient": """catalog_index_connections create_cluster create_code_env create_code_studio_template
        create_connection create_data_collection create_global_api_key create_group create_meaning
        create_personal_api_key create_project create_project_from_bundle_archive
        create_project_from_bundle_local_archive create_user create_workspace get_apideployer get_app get_cluster
        get_code_env get_code_studio_template get_connection get_data_collection get_data_directories_footprint
        get_feature_store get_future get_general_settings get_global_api_key get_global_usage_summary get_group
        get_licensing_status get_llm_cost_limiting_counters get_log get_meaning get_messaging_channel get_own_user
        get_personal_api_key get_project_folder get_projectdeployer get_root_project_folder get_scoring_libs_stream
        get_unified_monitoring get_user get_variables get_workspace host install_plugin_from_archive
        install_plugin_from_git install_plugin_from_store list_apps list_clusters list_code_env_usages
        list_code_studio_templates list_connections_names list_data_collections list_futures list_global_api_keys
        list_groups list_logs list_meanings list_personal_api_keys list_running_notebooks list_running_scenarios
        list_users_activity list_workspaces log_custom_audit new_project_from_template perform_instance_sanity_check
        prepare_project_import push_base_images set_variables sql_query start_installing_plugin_from_archive""",
    "DSSProject": """activate_bundle add_exposed_object create_agent create_analysis create_api_service
        create_clustering_ml_task create_code_studio create_dashboard create_dataset create_external_model
        create_filesystem_dataset create_finetuned_llm_saved_model create_fslike_dataset create_insight
        create_jupyter_notebook create_knowledge_bank create_mlflow_pyfunc_model create_model_evaluation_store
        create_prediction_ml_task create_recipe create_retrieval_augmented_llm create_s3_dataset create_scenario
        create_sql_notebook create_sql_table_dataset create_streaming_endpoint create_timeseries_forecasting_ml_task
        create_upload_dataset delete delete_exported_bundle download_exported_bundle_archive_to_file duplicate
        export_bundle export_to_file get_agent_tool get_analysis get_api_service get_app_manifest get_code_studio
        get_dashboard get_data_quality_status get_export_stream get_exported_bundle_archive_stream get_flow get_insight
        get_job get_jupyter_notebook get_knowledge_bank get_labeling_task get_library get_llm get_macro get_ml_task
        get_mlflow_extension get_model_evaluation_store get_object_discussions get_project_folder get_project_git
        get_saved_model get_scenario get_sql_notebook get_statistics_worksheet get_streaming_endpoint get_tags
        get_timeline get_webapp get_wiki import_bundle_from_archive import_bundle_from_stream init_tables_import
        list_agent_tools list_agents list_analyses list_code_studios list_exported_bundles list_imported_bundles
        list_insights list_jobs list_jupyter_notebooks list_labeling_tasks list_llms list_macros list_ml_tasks
        list_running_notebooks list_sql_notebooks list_streaming_endpoints move_to_folder new_agent_tool new_job
        new_managed_dataset new_managed_dataset_creation_helper new_recipe preload_bundle publish_bundle
        remove_exposed_object set_metadata set_permissions set_tags setup_mlflow start_job start_job_and_wait
        sync_datasets_acls update_dashboard""",
    "DSSDataset": """add_statistics_worksheet autodetect_settings build copy_to create_analysis
        create_clustering_ml_task create_prediction_ml_task create_statistics_worksheet create_timeseries_ml_task delete
        get_data_quality_rules get_full_info get_info get_lineage get_object_discussions get_statistics_worksheet
        get_usages get_zone list_statistics_worksheets move_to_zone new_code_recipe new_recipe rename run_checks
        set_definition share_to_zone synchronize_hive_metastore unshare_from_zone update_from_hive uploaded_add_file
        uploaded_list_files""",
    "DSSDatasetListItem": "get_column",
    "DSSDatasetSettings": "get_raw_metric_checks remove_partitioning set_feature_group set_csv_format set_table",
    "DSSManagedFolder": """compute_metrics copy_to create_dataset_from_files delete get_last_metric_values
        get_metric_history get_object_discussions get_usages get_zone move_to_zone rename set_definition share_to_zone
        unshare_from_zone upload_folder""",
    "DSSManagedFolderSettings": "remove_partitioning set_connection_and_path",
    "DSSRecipe": """compute_schema_updates delete get_continuous_recipe get_definition_and_payload get_metadata
        get_object_discussions get_status move_to_zone rename run set_definition_and_payload set_metadata""",
    "DSSRecipeSettings": """add_input add_output get_code get_code_env_settings get_json_payload get_payload
        replace_input replace_output save set_code set_code_env set_json_payload set_payload raw_steps""",
    "DSSPluginSettings": "get_parameter_set list_parameter_sets set_code_env",
    "DSSProjectSettings": """add_exposed_object remove_exposed_object set_cluster set_container_exec_config
        set_k8s_cluster set_python_code_env set_r_code_env""",
    "DSSPlugin": """create_code_env delete get_file get_project_settings list_files list_usages put_file
        update_code_env update_from_git update_from_store update_from_zip""",
}

ONLY_IN_DSS: dict[str, frozenset[str]] = {owner: frozenset(names.split()) for owner, names in _NAMES.items()}
"""Module or class, as messages call it -> names that only a DSS instance can answer for."""

INSTEAD = {
    "APINodeClient": "post to the API node with requests",
    "DSSClient": "dataiku.api_client() for the local project",
    "KnowledgeBank": "a folder for documents and vectors",
    "Model": "a managed folder for the model's files",
    "SQLExecutor": "SQLExecutor2 for a dataset that is a SQL table",
    "create_code_env": "minihost env",
    "create_dataset": "declare the dataset in flow.yaml",
    "create_recipe": "a step in flow.yaml",
    "create_upload_dataset": "declare the dataset in flow.yaml",
    "get_code_env": "minihost env",
    "new_managed_dataset": "declare the dataset in flow.yaml",
    "new_recipe": "a step in flow.yaml",
    "run": "minihost build",
    "build": "minihost build",
}
"""Name -> what does the same on the mini-host, or near it."""

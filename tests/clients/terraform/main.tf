terraform {
  required_providers { aws = { source = "hashicorp/aws" } }
}
provider "aws" {
  region                      = "us-east-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = false
  endpoints {
    kinesis            = var.endpoint
    glue               = var.endpoint
    iam                = var.endpoint
    sts                = var.endpoint
    kinesisanalyticsv2 = var.endpoint
  }
}
variable "endpoint" {}
variable "shards" { default = 2 }
variable "action" { default = "kinesis:*" }
data "aws_caller_identity" "me" {}
data "aws_region" "r" {}
resource "aws_kinesis_stream" "in" {
  name                = "tf-input"
  shard_count         = var.shards
  retention_period    = 24
  tags                = { Env = "prod", X = "1" }
  shard_level_metrics = ["OutgoingBytes"]
}
resource "aws_kinesis_stream" "od" {
  name = "tf-ondemand"
  stream_mode_details { stream_mode = "ON_DEMAND" }
}
resource "aws_kinesis_stream_consumer" "c" {
  name       = "tf-consumer"
  stream_arn = aws_kinesis_stream.in.arn
}
resource "aws_glue_catalog_database" "db" {
  name        = "tf_db"
  description = "changed"
}
resource "aws_glue_catalog_table" "t" {
  name          = "tf_sensor"
  database_name = aws_glue_catalog_database.db.name
  table_type    = "EXTERNAL_TABLE"
  parameters = {
    classification                                    = "json"
    typeOfData                                        = "kinesis"
    format                                            = "json"
    "aws.region"                                      = "us-east-1"
    "managed-flink.rowtime"                           = "event_time"
    "managed-flink.watermark.event_time.milliseconds" = "5000"
  }
  storage_descriptor {
    location      = aws_kinesis_stream.in.arn
    input_format  = "org.apache.hadoop.mapred.TextInputFormat"
    output_format = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"
    ser_de_info {
      name                  = "json"
      serialization_library = "org.openx.data.jsonserde.JsonSerDe"
      parameters            = { "serialization.format" = "1" }
    }
    columns {
      name = "sensor_id"
      type = "int"
    }
    columns {
      name = "event_time"
      type = "string"
    }
  }
  partition_keys {
    name = "day"
    type = "string"
  }
}
data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["kinesisanalytics.amazonaws.com"]
    }
  }
}
resource "aws_iam_role" "r" {
  name               = "tf-role"
  assume_role_policy = data.aws_iam_policy_document.assume.json
  tags               = { a = "c" }
}
resource "aws_iam_policy" "p" {
  name   = "tf-policy"
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = var.action, Resource = "*" }] })
}
resource "aws_iam_role_policy_attachment" "a" {
  role       = aws_iam_role.r.name
  policy_arn = aws_iam_policy.p.arn
}
resource "aws_iam_role_policy" "inline" {
  name   = "inline"
  role   = aws_iam_role.r.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "glue:Get*", Resource = "*" }] })
}
resource "aws_iam_user" "u" { name = "tf-user" }
resource "aws_iam_access_key" "k" { user = aws_iam_user.u.name }
resource "aws_iam_user_policy" "up" {
  name   = "send"
  user   = aws_iam_user.u.name
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "kinesis:PutRecords", Resource = "*" }] })
}
resource "aws_iam_group" "g" { name = "tf-group" }
resource "aws_iam_group_membership" "gm" {
  name  = "m"
  users = [aws_iam_user.u.name]
  group = aws_iam_group.g.name
}
resource "aws_iam_group_policy_attachment" "ga" {
  group      = aws_iam_group.g.name
  policy_arn = aws_iam_policy.p.arn
}
resource "aws_kinesisanalyticsv2_application" "sql" {
  name                   = "tf-sql"
  runtime_environment    = "SQL-1_0"
  service_execution_role = aws_iam_role.r.arn
  application_configuration {
    application_code_configuration {
      code_content { text_content = "CREATE OR REPLACE STREAM \"D\" (x INTEGER, y INTEGER);" }
      code_content_type = "PLAINTEXT"
    }
    sql_application_configuration {
      input {
        name_prefix = "SOURCE_SQL_STREAM"
        input_schema {
          record_column {
            name     = "x"
            sql_type = "INTEGER"
            mapping  = "$.x"
          }
          record_encoding = "UTF-8"
          record_format {
            record_format_type = "JSON"
            mapping_parameters {
              json_mapping_parameters { record_row_path = "$" }
            }
          }
        }
        kinesis_streams_input { resource_arn = aws_kinesis_stream.in.arn }
      }
    }
  }
  tags = { k = "w", l = "m" }
}
output "account" { value = data.aws_caller_identity.me.account_id }
resource "aws_glue_connection" "kafka" {
  name                  = "tf-kafka"
  connection_type       = "KAFKA"
  connection_properties = { KAFKA_BOOTSTRAP_SERVERS = "b:9092" }
}
resource "aws_glue_partition" "p" {
  database_name    = aws_glue_catalog_database.db.name
  table_name       = aws_glue_catalog_table.t.name
  partition_values = ["2024-01-01"]
}
resource "aws_kinesis_resource_policy" "rp" {
  resource_arn = aws_kinesis_stream.in.arn
  policy       = jsonencode({ Version = "2012-10-17", Statement = [{ Sid = "w", Effect = "Allow", Principal = { AWS = "000000000000" }, Action = ["kinesis:DescribeStreamSummary", "kinesis:ListShards", "kinesis:PutRecord", "kinesis:PutRecords"], Resource = aws_kinesis_stream.in.arn }] })
}
data "aws_kinesis_stream" "d" { name = aws_kinesis_stream.in.name }

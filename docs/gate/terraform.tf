# Terraform and OpenTofu: the gate is asked when something is applied, and what depends on it is changed only when it allows.
# WARDROOM_URL, WARDROOM_TOKEN and WARDROOM_ON_BEHALF_OF come from the environment in which terraform runs.

variable "wardroom_on_failure" {
  description = "What becomes of an apply when the gate cannot decide: open goes on, closed stops."
  type        = string
  default     = "closed"

  validation {
    condition     = contains(["open", "closed"], var.wardroom_on_failure)
    error_message = "wardroom_on_failure is open or closed."
  }
}

resource "terraform_data" "gate" {
  # Another value each time, so that every apply asks.
  triggers_replace = [timestamp()]

  provisioner "local-exec" {
    command = "wardroom gate --service search --action \"$ACTION\""
    environment = {
      ACTION              = "terraform apply in ${terraform.workspace}"
      WARDROOM_ON_FAILURE = var.wardroom_on_failure
    }
  }
}

# Whatever changes the service waits for the gate.
module "search" {
  source     = "./search"
  depends_on = [terraform_data.gate]
}

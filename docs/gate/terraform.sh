#!/bin/sh
# Terraform and OpenTofu: run this wherever `terraform` was run, with the same words. What changes something is asked about
# before terraform starts, and it is told how it went: a resource of its own would be asked too late, since what is destroyed
# goes before what it hung on.
# WARDROOM_URL, WARDROOM_TOKEN, WARDROOM_ON_BEHALF_OF and, where it should be `open` (go on also when Wardroom cannot be
# reached), WARDROOM_ON_FAILURE come from the environment in which it runs.
set -eu

# `terraform -chdir=infra apply`: what it is to do is the first word that is no option.
verb=
for word in "$@"; do
  case $word in
    -*) ;;
    *) verb=$word; break ;;
  esac
done

case $verb in
  apply | destroy) ;;
  *) exec "${TERRAFORM:-terraform}" "$@" ;;
esac

at_the_gate() {
  wardroom gate --service search --action "terraform $verb in ${TF_WORKSPACE:-default}" "$@"
}

at_the_gate
# Whoever stops terraform does not stop this: what it left behind is not known, and operations look at it. The same where
# somebody says no to what it asks, since it ends as if it had failed.
trap : INT
code=0
"${TERRAFORM:-terraform}" "$@" || code=$?
if [ "$code" -eq 0 ]; then ended=done; else ended=failed; fi
# Applied is applied, whether or not Wardroom can be reached.
at_the_gate --ended "$ended" --on-failure open || :
exit "$code"

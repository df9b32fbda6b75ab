#!/bin/sh
# Runs one task on Fargate and waits for its end. Ends with 1 if its container did not end with 0. Takes the variables AWS_REGION,
# CLUSTER, TASK_DEFINITION, SUBNETS and SECURITY_GROUP, and LOG_GROUP for the message; SECONDS_BETWEEN is 5.
set -eu
command -v aws >/dev/null || { echo "The AWS command line is not here: install it, or set run_migration = false." >&2; exit 1; }

task=$(aws ecs run-task --cluster "$CLUSTER" --task-definition "$TASK_DEFINITION" --launch-type FARGATE \
  --network-configuration "awsvpcConfiguration={subnets=[$SUBNETS],securityGroups=[$SECURITY_GROUP],assignPublicIp=DISABLED}" \
  --query 'tasks[0].taskArn' --output text)
[ "$task" != None ] || { echo "ECS started no task. Look at the events of the cluster $CLUSTER." >&2; exit 1; }
echo "Waiting for $task"

# The waiter gives up after ten minutes; a migration may take longer.
while true; do
  status=$(aws ecs describe-tasks --cluster "$CLUSTER" --tasks "$task" --query 'tasks[0].lastStatus' --output text)
  [ "$status" = STOPPED ] && break
  sleep "${SECONDS_BETWEEN:-5}"
done
code=$(aws ecs describe-tasks --cluster "$CLUSTER" --tasks "$task" --query 'tasks[0].containers[0].exitCode' --output text)
[ "$code" = 0 ] && exit 0
reason=$(aws ecs describe-tasks --cluster "$CLUSTER" --tasks "$task" --query 'tasks[0].stoppedReason' --output text)
echo "The task ended with $code: $reason. Its log: aws logs tail $LOG_GROUP --log-stream-name-prefix migrate" >&2
exit 1

<?php
// For PHP's built-in server: says who answers, and sends back what it is sent.
$body = file_get_contents("php://input");
header("Content-Type: application/json");
echo $body !== "" ? $body : json_encode(["application" => "php", "pid" => getmypid()]);

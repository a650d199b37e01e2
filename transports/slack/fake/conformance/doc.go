// Package conformance checks what passes between the fake Slack server and its client against Slack's
// published descriptions, which are in integration/testdata/slack: the shapes of requests,
// answers and events, the lists of error codes, the keys that real deliveries had. It is for
// tests only.
//
// Order of trust where the descriptions disagree: recorded answers and deliveries, then
// official examples, then published types. What is tolerated against them is in
// integration/testdata/slack/tolerated.json, each thing with its source, and nowhere else.
package conformance

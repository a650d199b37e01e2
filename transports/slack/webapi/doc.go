// Package webapi calls methods of Slack's Web API with one token. It is our own and not slack-go's, which refuses a page of
// history for one element of another type. Answers are decoded leniently (package lenientjson) and are bounded in size.
//
// It starts no goroutines and has no locks.
package webapi

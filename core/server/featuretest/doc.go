// Package featuretest tests the features of a host together, on a server that is assembled as in
// production, with a real database, and with sessions that only record the stanzas they get. Each test
// cites the rule that it checks.
package featuretest

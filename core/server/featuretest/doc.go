// Package featuretest tests the features of a served host together: on a server that is assembled
// as in production, with a real database, and with sessions that only record what they are given.
// Each test names the rule that it checks.
package featuretest

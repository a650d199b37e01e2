// Package plays tests the features of a served host together: over a real router and a
// real database, with sessions that only take down what they are given. Each test names
// the rule that it checks.
package plays

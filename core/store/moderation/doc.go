// Package moderation keeps whom accounts have blocked, what they report about them, and what they accept from strangers. It implements
// the stores of features/blocking and features/abuse.
// There is no lock and no goroutine.
package moderation

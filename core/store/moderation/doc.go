// Package moderation keeps whom accounts have blocked. It implements the store of features/blocking.
// There is no lock and no goroutine.
package moderation

// Package clock gives the time by which old rows are deleted. It is the system's clock, unless that has jumped ahead. It
// has no goroutine and no lock; a Clock belongs to the goroutine that deletes.
package clock

// Package administration keeps what administrators set at run time. It implements the stores of package admin.
// There is no lock and no goroutine.
package administration

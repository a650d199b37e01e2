// Package history holds the last messages of a room in memory (XEP-0045 §7.2.13), and says how a room reads them where somebody
// else stores them. A [Ring] belongs to the goroutine of its room.
//
// Specifications: XEP-0045 §7.2.13, XEP-0308, XEP-0424.
package history

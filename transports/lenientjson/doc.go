// Package lenientjson decodes JSON that others produce. encoding/json refuses a whole document for one value of another
// type than the Go one; this package leaves that value out, reports its path, and decodes the rest. A list keeps
// the neighbours of an element that cannot be read. Only data that is not JSON is an error.
//
// Numbers in quotation marks, and texts without them, are read as what was asked for: APIs have changed between the two.
//
// It has no goroutines and no locks.
package lenientjson

// Package lenientjson decodes JSON of somebody else's making. Where encoding/json gives up, it takes what it can: a value
// of another type than the Go one is left out, with its path, and everything beside it is decoded. A list keeps
// the neighbours of an element that cannot be read. Only what is no JSON at all is an error.
//
// Numbers in quotation marks, and texts without them, are read as what was asked for: APIs have changed between the two.
//
// It has no goroutines and no locks.
package lenientjson

package stream

import (
	"errors"
	"sync/atomic"
)

// Excess counts how often each of the Limits ended a stream. Any goroutine may read it.
type Excess struct {
	Bytes    atomic.Uint64
	Elements atomic.Uint64
	Depth    atomic.Uint64
	Attrs    atomic.Uint64 // also too many prefixes, which attributes declare
}

// Count counts err if it is a Scanner's about its Limits.
func (x *Excess) Count(err error) {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return
	}
	switch e { // the scanner's own errors are shared values
	case errTooBig:
		x.Bytes.Add(1)
	case errElements:
		x.Elements.Add(1)
	case errDepth:
		x.Depth.Add(1)
	case errAttrs, errPrefixes:
		x.Attrs.Add(1)
	}
}

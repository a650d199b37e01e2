package fake

import (
	"maps"
	"slices"
)

// Methods are the names of the Web API methods that the fake server has.
func Methods() []string { return slices.Sorted(maps.Keys(methods)) }

package recorder

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"
)

// Mutants calls do with copies of a JSON text, two for each value in it: in them that value has another type, in turn each of
// JSON's. path is where it is, such as "event.blocks[0].type".
func Mutants(t testing.TB, text []byte, do func(path string, mutant []byte)) {
	t.Helper()
	var root any
	if err := json.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	m := mutator{changed: func(path string) {
		mutant, err := json.Marshal(root)
		if err != nil {
			t.Fatal(err)
		}
		do(path, mutant)
	}}
	m.mutate("", root, func(v any) { root = v })
}

type mutator struct {
	turn    int
	changed func(path string)
}

// mutate replaces one value after the other with set.
func (m *mutator) mutate(path string, v any, set func(any)) {
	others := []any{nil, true, 7.0, "x", []any{map[string]any{}}, map[string]any{"x": 1.0}}
	for n := 0; n < 2; m.turn++ {
		other := others[m.turn%len(others)]
		if fmt.Sprintf("%T", v) != fmt.Sprintf("%T", other) {
			set(other)
			m.changed(path)
			n++
		}
	}
	set(v)
	switch v := v.(type) {
	case []any:
		for i, e := range v[:min(len(v), 2)] { // those after them are like them
			m.mutate(fmt.Sprintf("%s[%d]", path, i), e, func(other any) { v[i] = other })
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			below := key
			if path != "" {
				below = path + "." + key
			}
			m.mutate(below, v[key], func(other any) { v[key] = other })
		}
	}
}

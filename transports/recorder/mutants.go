package recorder

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"
)

// Mutants calls do with a copy of a JSON text for each value in it and each other type of JSON: in the copy that value
// has that type. path is where it is, such as "event.blocks[0].type".
func Mutants(t testing.TB, text []byte, do func(path string, mutant []byte)) {
	t.Helper()
	var root any
	if err := json.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	mutate("", root, func(v any) { root = v }, func(path string) {
		mutant, err := json.Marshal(root)
		if err != nil {
			t.Fatal(err)
		}
		do(path, mutant)
	})
}

// mutate replaces one value after the other with set.
func mutate(path string, v any, set func(any), changed func(path string)) {
	for _, other := range []any{nil, true, 7.0, "x", []any{map[string]any{}}, map[string]any{"x": 1.0}} {
		if fmt.Sprintf("%T", v) != fmt.Sprintf("%T", other) {
			set(other)
			changed(path)
		}
	}
	set(v)
	switch v := v.(type) {
	case []any:
		for i, e := range v[:min(len(v), 2)] { // those after them are like them
			mutate(fmt.Sprintf("%s[%d]", path, i), e, func(other any) { v[i] = other }, changed)
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			below := key
			if path != "" {
				below = path + "." + key
			}
			mutate(below, v[key], func(other any) { v[key] = other }, changed)
		}
	}
}

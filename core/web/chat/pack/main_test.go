package main

import (
	"path/filepath"
	"testing"
	"testing/fstest"
)

func TestCompare(t *testing.T) {
	t.Parallel()
	installed := func(more ...string) fstest.MapFS {
		all := fstest.MapFS{"package.json": {Data: []byte("{}")}, "dist/converse.js": {Data: []byte("long")}}
		for i := 0; i < len(more); i += 2 {
			all["dist/"+more[i]] = &fstest.MapFile{Data: []byte(more[i+1])}
		}
		return all
	}
	name := filepath.Join(t.TempDir(), archiveName)
	if err := write(name, installed("converse.min.js", "short", "emoji/list.json", "[]", "converse.min.js.map", "{}")); err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		with fstest.MapFS
		same bool
	}{
		"the same":          {installed("converse.min.js", "short", "emoji/list.json", "[]"), true},
		"another text":      {installed("converse.min.js", "other", "emoji/list.json", "[]"), false},
		"a further file":    {installed("converse.min.js", "short", "emoji/list.json", "[]", "new.js", ""), false},
		"a file less":       {installed("converse.min.js", "short"), false},
		"no package at all": {fstest.MapFS{}, false},
	} {
		if err := compare(name, c.with); (err == nil) != c.same {
			t.Errorf("%s: %v", what, err)
		}
	}
}

package structure

import (
	"os/exec"
	"strings"
	"testing"
)

// TestReleaseHasNoFakeServer checks that a program that is built with the tag nodemo, as releases are, has
// neither the demo nor a fake server in it.
func TestReleaseHasNoFakeServer(t *testing.T) {
	t.Parallel()
	for _, tags := range []string{"", "nodemo"} {
		out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-tags", tags, module+"cmd/dragoman").Output()
		if err != nil {
			t.Fatalf("list the packages of the program: %v", err)
		}
		demo := false
		for pkg := range strings.Lines(string(out)) {
			pkg = strings.TrimSpace(pkg)
			demo = demo || strings.HasPrefix(pkg, module) && (strings.HasSuffix(pkg, "/demo") || strings.Contains(pkg, "/fake"))
		}
		if demo != (tags == "") {
			t.Errorf("with the tags %q, the demo is part of the program: %v", tags, demo)
		}
	}
}

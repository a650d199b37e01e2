package newnetwork

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// limit is for the whole page: the copy is compiled anew.
const limit = 10 * time.Minute

var block = regexp.MustCompile("(?ms)^```sh\n(.*?)^```$")

// TestPage runs the commands of transports/echo/README.md, block by block, in a copy of the repository, and
// wants only the folder of the new network and one file besides to have changed.
func TestPage(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("compiles the whole module")
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(root, "transports/echo/README.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := block.FindAllStringSubmatch(string(page), -1)
	if len(blocks) < 4 {
		t.Fatalf("the page has %d blocks of commands", len(blocks))
	}
	dir := copyTree(ctx, t, root)
	for _, b := range blocks {
		run(ctx, t, dir, b[1])
	}
	changed := strings.Fields(run(ctx, t, dir, "git status --porcelain --untracked-files=normal | cut -c4-"))
	for _, file := range changed {
		switch file {
		case "transports/mirror/", "transports/all/all.go", "bin/", "mirror.toml": // the last two are the build and its settings
		default:
			t.Errorf("%s has changed too", file)
		}
	}
	if !strings.Contains(run(ctx, t, dir, "bin/dragoman config doc mirror"), "`guests`") {
		t.Error("the new network has no reference")
	}
	if out := run(ctx, t, dir, "gofmt -l transports; go vet ./transports/mirror"); out != "" {
		t.Error(out)
	}
}

// copyTree copies the files of the repository that are not ignored into a repository of their own.
func copyTree(ctx context.Context, t *testing.T, root string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "dragoman")
	for _, name := range strings.Split(strings.Trim(run(ctx, t, root, "git ls-files -z --cached --others --exclude-standard"), "\x00"), "\x00") {
		text, err := os.ReadFile(filepath.Join(root, name))
		if os.IsNotExist(err) { // removed, not committed yet
			continue
		}
		if err == nil {
			err = os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), text, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	run(ctx, t, dir, "git init -q && git add -A && git -c user.name=test -c user.email=test@example.org commit -qm all")
	return dir
}

// run runs commands as a person's shell does, and returns what they print.
func run(ctx context.Context, t *testing.T, dir, commands string) string {
	t.Helper()
	cmd := exec.CommandContext(ctx, "bash", "-euc", commands)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", commands, err, out)
	}
	return string(out)
}

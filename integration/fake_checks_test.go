package integration_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// TestFakeServersAreChecked checks that the fake servers in the networks' tests and in these tests have
// the hook that compares all traffic with what the networks publish.
func TestFakeServersAreChecked(t *testing.T) {
	t.Parallel()
	root := moduleRoot(t)
	checked := map[string]int{}
	for _, dir := range []string{"integration", "transports/slack", "transports/discord"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() && d.Name() == "fake" { // the fake servers' own tests send some traffic that is wrong
				return filepath.SkipDir
			}
			if strings.HasSuffix(path, "_test.go") {
				checked[dir] += countFakeServers(t, path)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if checked[dir] == 0 {
			t.Errorf("no fake server is found in %s", dir)
		}
	}
}

// countFakeServers counts the options of fake servers in a file, and reports those without the hook.
func countFakeServers(t *testing.T, path string) (n int) {
	t.Helper()
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(node ast.Node) bool {
		switch x := node.(type) {
		case *ast.CallExpr:
			if selects(x.Fun, "fake", "New") && len(x.Args) != 1 {
				t.Errorf("%s: a fake server without options", files.Position(x.Pos()))
			}
		case *ast.CompositeLit:
			if !selects(x.Type, "fake", "Options") {
				return true
			}
			n++
			if !hasChecker(x) {
				t.Errorf("%s: a fake server that nothing checks", files.Position(x.Pos()))
			}
		}
		return true
	})
	return n
}

// hasChecker reports whether options have a check from the package conformance.
func hasChecker(options *ast.CompositeLit) bool {
	for _, e := range options.Elts {
		kv, ok := e.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		key, _ := kv.Key.(*ast.Ident)
		call, _ := kv.Value.(*ast.CallExpr)
		if key != nil && call != nil && (key.Name == "Check" && selects(call.Fun, "conformance", "Hook") || key.Name == "Checker" && selects(call.Fun, "conformance", "New")) {
			return true
		}
	}
	return false
}

func selects(e ast.Expr, pkg, name string) bool {
	s, ok := e.(*ast.SelectorExpr)
	if !ok || s.Sel.Name != name {
		return false
	}
	x, ok := s.X.(*ast.Ident)
	return ok && x.Name == pkg
}

// TestUncheckedFakeServersAreFound checks that the search finds one.
func TestUncheckedFakeServersAreFound(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]bool{
		"fake.Options{Check: conformance.Hook(t)}": true, "fake.Options{Checker: conformance.New(t), Unlimited: true}": true,
		"fake.Options{}": false, "fake.Options{Check: quiet}": false, "fake.Options{Log: conformance.Hook(t)}": false,
	} {
		e, err := parser.ParseExpr(source)
		if err != nil {
			t.Fatal(err)
		}
		if got := hasChecker(e.(*ast.CompositeLit)); got != want {
			t.Errorf("%s: %v", source, got)
		}
	}
}

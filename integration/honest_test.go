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

// TestEveryStandInIsChecked sees to it that the stand-ins of the networks' tests and of these plays have
// the hook that compares all traffic with what the networks publish.
func TestEveryStandInIsChecked(t *testing.T) {
	t.Parallel()
	root := moduleRoot(t)
	checked := map[string]int{}
	for _, dir := range []string{"integration", "transports/slack", "transports/discord"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() && d.Name() == "fake" { // the stand-ins' own tests show some traffic that is wrong
				return filepath.SkipDir
			}
			if strings.HasSuffix(path, "_test.go") {
				checked[dir] += standIns(t, path)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if checked[dir] == 0 {
			t.Errorf("no stand-in is found in %s", dir)
		}
	}
}

// standIns counts the options of stand-ins in a file, and complains of those without the hook.
func standIns(t *testing.T, path string) (n int) {
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
				t.Errorf("%s: a stand-in without options", files.Position(x.Pos()))
			}
		case *ast.CompositeLit:
			if !selects(x.Type, "fake", "Options") {
				return true
			}
			n++
			if !hooked(x) {
				t.Errorf("%s: a stand-in that nobody checks", files.Position(x.Pos()))
			}
		}
		return true
	})
	return n
}

// hooked tells whether options have a check from the package honest.
func hooked(options *ast.CompositeLit) bool {
	for _, e := range options.Elts {
		kv, ok := e.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		key, _ := kv.Key.(*ast.Ident)
		call, _ := kv.Value.(*ast.CallExpr)
		if key != nil && call != nil && (key.Name == "Check" && selects(call.Fun, "honest", "Hook") || key.Name == "Checker" && selects(call.Fun, "honest", "New")) {
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

// TestUncheckedStandInsAreFound shows that the search would find one.
func TestUncheckedStandInsAreFound(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]bool{
		"fake.Options{Check: honest.Hook(t)}": true, "fake.Options{Checker: honest.New(t), Unlimited: true}": true,
		"fake.Options{}": false, "fake.Options{Check: quiet}": false, "fake.Options{Log: honest.Hook(t)}": false,
	} {
		e, err := parser.ParseExpr(source)
		if err != nil {
			t.Fatal(err)
		}
		if got := hooked(e.(*ast.CompositeLit)); got != want {
			t.Errorf("%s: %v", source, got)
		}
	}
}

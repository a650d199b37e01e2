package integration_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// secretName fits names of what must be compared in constant time.
var secretName = regexp.MustCompile(`(?i)^(want|given|got|stored|server|client)?(secret|proof|password|token|handshake|storedkey|serverkey|signature|mac|digest|hmac)(hash|sum)?$`)

// predictableRandomness are files that use random numbers of math/rand/v2: for the time of a retry, and for ids
// of stanzas, which are no secrets and whose generator is seeded by the operating system.
var predictableRandomness = []string{"core/component/link.go", "core/s2s/link.go", "core/stanza/id.go"}

// CVE-2021-32921: secrets are compared in constant time.
func TestCVE_2021_32921_Comparisons(t *testing.T) {
	t.Parallel()
	forEachSource(t, []string{"../core", "../config", "../transports/bridge"}, func(path string, file *ast.File, at func(ast.Node) string) {
		if filepath.Base(filepath.Dir(path)) == "stream" {
			return // a token there is one of XML
		}
		for _, n := range comparisons(file) {
			t.Errorf("%s: a secret is compared; use crypto/subtle", at(n))
		}
	})
	for text, want := range map[string]int{
		"a.secret == b": 1, "proof != want": 1, "bytes.Equal(x, storedKey)": 1, "strings.EqualFold(token, x)": 1, "string(mac) == x": 1, "m.Sum(nil) == handshake(id, secret)": 1,
		"secret == \"\"": 0, "password != nil": 0, "len(secret) < 5": 0, "a == b": 0, "subtle.ConstantTimeCompare(secret, x) == 1": 0, "password == `x`": 0,
	} {
		file, err := parser.ParseFile(token.NewFileSet(), "x.go", "package x\nvar _ = "+text, 0)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(comparisons(file)); n != want {
			t.Errorf("%s: %d found", text, n)
		}
	}
}

// ejabberd 26.07: ids and secrets come from crypto/rand.
func TestEjabberd2607_Randomness(t *testing.T) {
	t.Parallel()
	seen := 0
	forEachSource(t, []string{"../core"}, func(path string, file *ast.File, at func(ast.Node) string) {
		for _, i := range file.Imports {
			switch name := strings.Trim(i.Path.Value, `"`); {
			case name == "crypto/rand":
				seen++
			case strings.HasPrefix(name, "math/rand") && !slices.Contains(predictableRandomness, strings.TrimPrefix(filepath.ToSlash(path), "../")):
				t.Errorf("%s: %s can be predicted", at(i), name)
			}
		}
	})
	if seen == 0 {
		t.Error("nothing was looked at")
	}
}

// forEachSource parses the Go files below the directories, tests left out.
func forEachSource(t *testing.T, dirs []string, visit func(path string, file *ast.File, at func(ast.Node) string)) {
	t.Helper()
	for _, dir := range dirs {
		if err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			set := token.NewFileSet()
			file, err := parser.ParseFile(set, path, text, 0)
			if err == nil {
				visit(path, file, func(n ast.Node) string { return fmt.Sprint(set.Position(n.Pos())) })
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// comparisons are those of a secret with something that is no constant.
func comparisons(file *ast.File) (found []ast.Node) {
	ast.Inspect(file, func(n ast.Node) bool {
		switch x := n.(type) {
		case *ast.BinaryExpr:
			if (x.Op == token.EQL || x.Op == token.NEQ) && !constant(x.X) && !constant(x.Y) && (secret(x.X) || secret(x.Y)) {
				found = append(found, n)
			}
		case *ast.CallExpr:
			s, ok := x.Fun.(*ast.SelectorExpr)
			if ok && slices.Contains([]string{"Equal", "EqualFold", "Compare"}, s.Sel.Name) && slices.ContainsFunc(x.Args, secret) && !hmacEqual(s) {
				found = append(found, n)
			}
		}
		return true
	})
	return found
}

func hmacEqual(s *ast.SelectorExpr) bool {
	p, ok := s.X.(*ast.Ident)
	return ok && p.Name == "hmac"
}

func constant(e ast.Expr) bool {
	switch x := e.(type) {
	case *ast.BasicLit:
		return true
	case *ast.Ident:
		return x.Name == "nil"
	}
	return false
}

// secret reports whether an expression is a secret by its name.
func secret(e ast.Expr) bool {
	switch x := e.(type) {
	case *ast.Ident:
		return secretName.MatchString(x.Name)
	case *ast.SelectorExpr:
		return secretName.MatchString(x.Sel.Name)
	case *ast.IndexExpr:
		return secret(x.X)
	case *ast.CallExpr:
		return secret(x.Fun) || len(x.Args) == 1 && conversion(x.Fun) && secret(x.Args[0])
	}
	return false
}

func conversion(e ast.Expr) bool {
	switch x := e.(type) {
	case *ast.Ident:
		return x.Name == "string"
	case *ast.ArrayType:
		return true
	}
	return false
}

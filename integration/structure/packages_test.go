package structure

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const module = "github.com/dragoman-im/dragoman/"

// listedPackage is what go list says of a package.
type listedPackage struct {
	Dir          string
	ImportPath   string
	GoFiles      []string
	TestGoFiles  []string
	XTestGoFiles []string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

// name is the import path within the module.
func (p listedPackage) name() string { return strings.TrimPrefix(p.ImportPath, module) }

func (p listedPackage) testImports() []string { return append(p.TestImports, p.XTestImports...) }

// listPackages lists the packages of the module.
func listPackages(t *testing.T) []listedPackage {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=Dir,ImportPath,GoFiles,TestGoFiles,XTestGoFiles,Imports,TestImports,XTestImports", module+"...")
	var problems bytes.Buffer
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("list packages: %v\n%s", err, problems.String())
	}
	var all []listedPackage
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listedPackage
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("read the list of packages: %v", err)
		}
		all = append(all, p)
	}
	if len(all) < 10 {
		t.Fatalf("only %d packages of the module were listed", len(all))
	}
	return all
}

// parsedFile is one Go file of a package.
type parsedFile struct {
	pkg  string // import path within the module
	name string
	test bool
	code *ast.File
	pos  *token.FileSet
}

// parse parses the files of packages, tests included.
func parse(t *testing.T, packages []listedPackage) []parsedFile {
	t.Helper()
	var all []parsedFile
	fset := token.NewFileSet()
	for _, p := range packages {
		for i, names := range [][]string{p.GoFiles, p.TestGoFiles, p.XTestGoFiles} {
			for _, name := range names {
				code, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, parser.ParseComments|parser.SkipObjectResolution)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, parsedFile{pkg: p.name(), name: name, test: i > 0, code: code, pos: fset})
			}
		}
	}
	return all
}

package checklist

import (
	"bufio"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Proofs are the tests of each line: "file:TestName", or a scenario's file.
type Proofs map[int][]string

// citation is what follows the word: numbers with spaces or commas between.
var citation = regexp.MustCompile(`\bchecklist((?:[ ,]+\d+)+)`)

func cited(text string) []int {
	var numbers []int
	for _, found := range citation.FindAllStringSubmatch(text, -1) {
		for _, field := range strings.FieldsFunc(found[1], func(r rune) bool { return r == ' ' || r == ',' }) {
			n, err := strconv.Atoi(field)
			if err != nil { // too long to be a number
				continue
			}
			numbers = append(numbers, n)
		}
	}
	return numbers
}

// Scan reads all tests and scenarios below root.
func Scan(root string) (Proofs, error) {
	proofs := Proofs{}
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() {
			if name == "testdata" || name == "vendor" || strings.HasPrefix(name, ".") && file != root {
				return fs.SkipDir
			}
			return nil
		}
		short, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		short = filepath.ToSlash(short)
		switch {
		case strings.HasSuffix(name, "_test.go"):
			return proofs.source(file, short)
		case path.Ext(name) == ".scenario":
			return proofs.readScenario(file, short)
		}
		return nil
	})
	return proofs, err
}

func (p Proofs) add(n int, test string) {
	if !slices.Contains(p[n], test) {
		p[n] = append(p[n], test)
	}
}

func (p Proofs) readScenario(file, short string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	for in := bufio.NewScanner(f); in.Scan(); {
		if line := in.Text(); strings.HasPrefix(line, "#") {
			for _, n := range cited(line) {
				p.add(n, short)
			}
		}
	}
	return nil
}

// source reads one file of tests. A comment belongs to the function that it is in or
// before; one that is at a variable or at a function that is no test belongs to the
// tests of the file that use it. A function that tests of other files share stands for
// itself.
func (p Proofs) source(file, short string) error {
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, file, nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	for _, group := range f.Comments {
		for _, c := range group.List {
			numbers := cited(c.Text)
			if len(numbers) == 0 {
				continue
			}
			line := set.Position(c.Pos()).Line
			tests := testsAt(set, f, c.Pos())
			if len(tests) == 0 {
				return fmt.Errorf("%s:%d: the comment belongs to no test", short, line)
			}
			for _, n := range numbers {
				for _, t := range tests {
					p.add(n, short+":"+t)
				}
			}
		}
	}
	return nil
}

// testsAt names the tests that a position belongs to.
func testsAt(set *token.FileSet, f *ast.File, at token.Pos) []string {
	line := set.Position(at).Line
	for _, d := range f.Decls {
		begin, end := d.Pos(), d.End()
		if doc := docOf(d); doc != nil {
			begin = doc.Pos()
		}
		if line < set.Position(begin).Line || line > set.Position(end).Line {
			continue
		}
		switch d := d.(type) {
		case *ast.FuncDecl:
			if isTest(d) {
				return []string{d.Name.Name}
			}
			if tests := usedBy(f, []string{d.Name.Name}); len(tests) > 0 {
				return tests
			}
			return []string{d.Name.Name}
		case *ast.GenDecl:
			return usedBy(f, declared(d))
		}
	}
	return nil
}

func docOf(d ast.Decl) *ast.CommentGroup {
	switch d := d.(type) {
	case *ast.FuncDecl:
		return d.Doc
	case *ast.GenDecl:
		return d.Doc
	}
	return nil
}

func isTest(d *ast.FuncDecl) bool {
	name := d.Name.Name
	return d.Recv == nil && (strings.HasPrefix(name, "Test") || strings.HasPrefix(name, "Fuzz"))
}

func declared(d *ast.GenDecl) []string {
	var names []string
	for _, s := range d.Specs {
		if v, ok := s.(*ast.ValueSpec); ok {
			for _, n := range v.Names {
				names = append(names, n.Name)
			}
		}
	}
	return names
}

// usedBy names the tests of a file that use one of the names, maybe through other functions.
func usedBy(f *ast.File, names []string) []string {
	var tests []string
	for seen := len(names); ; seen = len(names) {
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Body == nil || !mentions(fn.Body, names) {
				continue
			}
			name := fn.Name.Name
			if isTest(fn) && !slices.Contains(tests, name) {
				tests = append(tests, name)
			}
			if !isTest(fn) && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		if len(names) == seen {
			return tests
		}
	}
}

func mentions(body ast.Node, names []string) bool {
	found := false
	ast.Inspect(body, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && slices.Contains(names, id.Name) {
			found = true
		}
		return !found
	})
	return found
}

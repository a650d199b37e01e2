package structure

import (
	"bytes"
	"go/ast"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Limits of size.
const (
	maxPackageLines     = 4000 // without tests
	maxFields           = 14
	maxParameters       = 5
	maxInterfaceMethods = 5 // with those of embedded interfaces
)

// TestPackageSizes counts the lines of each package of the core and of the transports.
func TestPackageSizes(t *testing.T) {
	t.Parallel()
	allowed := readExceptions(t, "lines")
	for _, p := range listPackages(t) {
		lines := 0
		for _, name := range p.GoFiles {
			text, err := os.ReadFile(filepath.Join(p.Dir, name))
			if err != nil {
				t.Fatal(err)
			}
			lines += bytes.Count(text, []byte("\n"))
		}
		if lines > maxPackageLines {
			allowed.check(t, p.name(), "%d lines without tests, at most %d", lines, maxPackageLines)
		}
	}
	allowed.done(t)
}

// TestFieldCounts counts the fields of each struct type outside of tests. Settings of config may have more,
// and so may structs whose fields all have tags: their form is given by a network or a file.
func TestFieldCounts(t *testing.T) {
	t.Parallel()
	allowed := readExceptions(t, "fields")
	for _, f := range parse(t, listPackages(t)) {
		if f.test || f.pkg == "config" {
			continue
		}
		ast.Inspect(f.code, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			if s, ok := spec.Type.(*ast.StructType); ok {
				if count := countNames(s.Fields); count > maxFields && !allTagged(s.Fields) {
					allowed.check(t, f.pkg+"."+spec.Name.Name, "%d fields, at most %d", count, maxFields)
				}
			}
			return true
		})
	}
	allowed.done(t)
}

// TestParameters counts the parameters of each function, and wants no two neighbouring ones that are bool,
// which a reader of a call cannot tell apart.
func TestParameters(t *testing.T) {
	t.Parallel()
	many, bools := readExceptions(t, "parameters"), readExceptions(t, "bools")
	for _, f := range parse(t, listPackages(t)) {
		for _, d := range f.code.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			subject := f.pkg + "." + functionName(fn)
			if count := countNames(fn.Type.Params); count > maxParameters {
				many.check(t, subject, "%d parameters, at most %d", count, maxParameters)
			}
			if neighbouringBools(fn.Type.Params) {
				bools.check(t, subject, "two neighbouring bool parameters")
			}
		}
	}
	many.done(t)
	bools.done(t)
}

// TestInterfaceSizes counts the methods of each interface type.
func TestInterfaceSizes(t *testing.T) {
	t.Parallel()
	allowed := readExceptions(t, "methods")
	files := parse(t, listPackages(t))
	interfaces := map[string]*ast.InterfaceType{}
	imports := map[*ast.InterfaceType]parsedFile{}
	for _, f := range files {
		ast.Inspect(f.code, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			if i, ok := spec.Type.(*ast.InterfaceType); ok {
				interfaces[f.pkg+"."+spec.Name.Name] = i
				imports[i] = f
			}
			return true
		})
	}
	var count func(i *ast.InterfaceType) int
	count = func(i *ast.InterfaceType) int {
		total := 0
		for _, m := range i.Methods.List {
			total += len(m.Names)
			if len(m.Names) > 0 {
				continue
			}
			if embedded, ok := interfaces[qualified(imports[i], m.Type)]; ok {
				total += count(embedded)
			} else {
				total++ // of another module, or a constraint
			}
		}
		return total
	}
	for name, i := range interfaces {
		if total := count(i); total > maxInterfaceMethods {
			allowed.check(t, name, "%d methods, at most %d", total, maxInterfaceMethods)
		}
	}
	allowed.done(t)
}

// qualified is the package within the module and the name of a type that a file names.
func qualified(f parsedFile, e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return f.pkg + "." + e.Name
	case *ast.SelectorExpr:
		id, ok := e.X.(*ast.Ident)
		if !ok {
			return ""
		}
		for _, i := range f.code.Imports {
			full := strings.Trim(i.Path.Value, `"`)
			name := full[strings.LastIndex(full, "/")+1:]
			if i.Name != nil {
				name = i.Name.Name
			}
			if name == id.Name {
				return strings.TrimPrefix(full, module) + "." + e.Sel.Name
			}
		}
	}
	return ""
}

func functionName(fn *ast.FuncDecl) string {
	if fn.Recv == nil {
		return fn.Name.Name
	}
	receiver := fn.Recv.List[0].Type
	if star, ok := receiver.(*ast.StarExpr); ok {
		receiver = star.X
	}
	switch generic := receiver.(type) {
	case *ast.IndexExpr:
		receiver = generic.X
	case *ast.IndexListExpr:
		receiver = generic.X
	}
	if id, ok := receiver.(*ast.Ident); ok {
		return id.Name + "." + fn.Name.Name
	}
	return fn.Name.Name
}

// countNames counts fields or parameters; an embedded or unnamed one counts as one.
func countNames(list *ast.FieldList) int {
	count := 0
	for _, f := range list.List {
		count += max(1, len(f.Names))
	}
	return count
}

func allTagged(list *ast.FieldList) bool {
	for _, f := range list.List {
		if f.Tag == nil {
			return false
		}
	}
	return true
}

func neighbouringBools(params *ast.FieldList) bool {
	before := false
	for _, p := range params.List {
		id, ok := p.Type.(*ast.Ident)
		isBool := ok && id.Name == "bool"
		if isBool && (before || len(p.Names) > 1) {
			return true
		}
		before = isBool
	}
	return false
}

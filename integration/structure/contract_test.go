package structure

import (
	"go/ast"
	"slices"
	"strings"
	"testing"
)

// notUsedYet are parts of the contract that the bridge does not use, with the reason.
var notUsedYet = map[string]string{}

// TestContractIsUsed wants every capability that a network can declare to be one that the bridge makes use of: each
// optional interface is asked for and each of its methods called, each limit read, each kind of change made, and
// each kind of event handled.
func TestContractIsUsed(t *testing.T) {
	t.Parallel()
	var contract, bridge []parsedFile
	for _, f := range parse(t, listPackages(t)) {
		switch {
		case f.test:
		case f.pkg == "transports":
			contract = append(contract, f)
		case f.pkg == "transports/bridge" || strings.HasPrefix(f.pkg, "transports/bridge/"):
			bridge = append(bridge, f)
		}
	}
	used := usesOf(bridge)
	wanted := 0
	want := func(what string, ok bool) {
		wanted++
		if reason := notUsedYet[what]; !ok && reason == "" {
			t.Errorf("the bridge does not use %s", what)
		} else if ok && reason != "" {
			t.Errorf("the bridge uses %s: it is no exception any more", what)
		}
	}
	types := typesOf(contract)
	for _, group := range []string{"MessageCaps", "RoomCaps", "PeopleCaps"} {
		for _, f := range types[group].(*ast.StructType).Fields.List {
			name := f.Names[0].Name
			offered, ok := types[strings.TrimSpace(f.Comment.Text())].(*ast.InterfaceType)
			if !ok { // a promise about other interfaces
				want(group+"."+name, used.fields[name])
				continue
			}
			wantInterface(want, used, strings.TrimSpace(f.Comment.Text()), offered)
		}
	}
	wantInterface(want, used, "Changer", types["Changer"].(*ast.InterfaceType))
	for _, f := range types["Limits"].(*ast.StructType).Fields.List {
		want("Limits."+f.Names[0].Name, used.fields[f.Names[0].Name])
	}
	for _, kind := range constantsOf(contract, "ChangeKind") {
		want(kind, used.names[kind])
	}
	for _, body := range bodiesOf(contract) {
		want("the event "+body, used.cases[body])
	}
	if wanted < 50 {
		t.Errorf("only %d parts of the contract were found", wanted)
	}
}

func wantInterface(want func(string, bool), used uses, name string, i *ast.InterfaceType) {
	want(name, used.asserted[name])
	for _, m := range i.Methods.List {
		for _, method := range m.Names {
			want(name+"."+method.Name, used.called[method.Name])
		}
	}
}

// uses is what some files do with package transports.
type uses struct {
	asserted map[string]bool // types of it that values are asserted to be
	called   map[string]bool // methods that are called, of whatever type
	fields   map[string]bool // fields that are read of capabilities or limits
	names    map[string]bool // names of it
	cases    map[string]bool // types of it in cases of switches
}

func usesOf(files []parsedFile) uses {
	u := uses{map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}}
	for _, f := range files {
		ast.Inspect(f.code, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.TypeAssertExpr:
				if n.Type != nil {
					u.asserted[ofContract(f, n.Type)] = true
				}
			case *ast.CallExpr:
				if s, ok := n.Fun.(*ast.SelectorExpr); ok {
					u.called[s.Sel.Name] = true
				}
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.SelectorExpr); ok && (x.Sel.Name == "Caps" || x.Sel.Name == "Limits") {
					u.fields[n.Sel.Name] = true
				}
				if x, ok := n.X.(*ast.Ident); ok && slices.Contains([]string{"caps", "limits"}, x.Name) {
					u.fields[n.Sel.Name] = true
				}
				u.names[ofContract(f, n)] = true
			case *ast.CaseClause:
				for _, e := range n.List {
					u.cases[ofContract(f, e)] = true
				}
			}
			return true
		})
	}
	return u
}

// ofContract is the name of something of package transports, else "".
func ofContract(f parsedFile, e ast.Expr) string {
	if name, ok := strings.CutPrefix(qualified(f, e), "transports."); ok {
		return name
	}
	return ""
}

func typesOf(files []parsedFile) map[string]ast.Expr {
	types := map[string]ast.Expr{}
	for _, f := range files {
		ast.Inspect(f.code, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok {
				types[spec.Name.Name] = spec.Type
			}
			return true
		})
	}
	return types
}

// constantsOf are the constants that are declared with a type.
func constantsOf(files []parsedFile, typ string) []string {
	var names []string
	for _, f := range files {
		ast.Inspect(f.code, func(n ast.Node) bool {
			if spec, ok := n.(*ast.ValueSpec); ok {
				if id, ok := spec.Type.(*ast.Ident); ok && id.Name == typ {
					names = append(names, spec.Names[0].Name)
				}
			}
			return true
		})
	}
	return names
}

// bodiesOf are the types that have the method of an event's body.
func bodiesOf(files []parsedFile) []string {
	var names []string
	for _, f := range files {
		for _, d := range f.code.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv != nil && fn.Name.Name == "kind" {
				names = append(names, strings.TrimSuffix(functionName(fn), ".kind"))
			}
		}
	}
	return names
}

package integration_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
	"strings"
	"testing"
)

const module = "github.com/dragoman-im/dragoman/"

// direction says which packages of the module the packages of one place may import. The
// first entry that fits a package counts; places are patterns of path.Match. What a place
// is not given here it may not import, and a place that is not here does not exist.
type direction struct {
	place string
	may   []string
}

var (
	engines  = []string{"core/form", "core/command", "core/disco", "core/paging", "core/room", "core/archive"}
	leaves   = []string{"core/jid", "core/stanza"}
	sessions = append([]string{"core/stream", "core/sasl", "core/router"}, leaves...)
)

// directions is the law of who may import whom: what a line names may be imported by all
// the lines below that name it.
var directions = []direction{
	{"core", nil},                    // its doc.go
	{"core/internal/rawstream", nil}, // for tests, and nothing but tests
	{"core/jid", nil},
	{"core/stanza", []string{"core/jid"}},
	{"core/sasl", leaves},
	{"core/stream", leaves},
	{"core/router", leaves},
	{"core/c2s", sessions},
	{"core/s2s", sessions},
	{"core/component", sessions},
	{"core/web", append([]string{"core/c2s"}, sessions...)},
	{"core/cluster", append([]string{"core/router"}, leaves...)},
	{"core/form", append(engines, leaves...)},
	{"core/command", append(engines, leaves...)},
	{"core/disco", append(engines, leaves...)},
	{"core/paging", append(engines, leaves...)},
	{"core/room", append(engines, leaves...)},
	{"core/archive", append(engines, leaves...)},
	{"core/features/*", append(append([]string{"core/router"}, engines...), leaves...)},
	// The store implements the small interfaces that features and the bridge declare, with
	// the rows that they and the contract of networks have.
	{"core/store", append(append([]string{"core/features/*", "core/sasl", "transports", "transports/bridge"}, engines...), leaves...)},
	{"core/server", []string{"config", "core/*", "core/features/*", "transports", "transports/*"}},

	{"transports/richtext", nil},
	{"transports", []string{"transports/richtext"}},
	{"transports/bridge", append(append([]string{"transports", "transports/richtext"}, engines...), leaves...)},
	{"transports/all", []string{"config", "transports", "transports/*"}},
	{"transports/*", []string{"transports", "transports/richtext"}},
	// A stand-in shares nothing with the transport that it tests.
	{"transports/*/fake", []string{"transports/*/fake/*"}},
	{"transports/*/fake/*", []string{"transports/*/fake", "transports/*/fake/*"}},

	{"config", nil},
	// The demo plays with the stand-ins, and with nothing behind them.
	{"cmd/dragoman", []string{"config", "core/server", "transports/all", "transports/slack/fake", "transports/discord/fake"}},
	{"cmd/*", []string{"config"}},
	{"integration", []string{"config", "integration/*", "transports/*/fake", "transports/*/fake/*"}},
	{"integration/*", []string{"config", "integration/*", "transports/*/fake", "transports/*/fake/*"}},
}

// listed is what go list says of a package.
type listed struct {
	ImportPath   string
	ForTest      string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

func TestImportDirections(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-e", "-deps", "-json=ImportPath,ForTest,Imports,TestImports,XTestImports", module+"...")
	var problems bytes.Buffer
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("list packages: %v\n%s", err, problems.String())
	}
	seen := 0
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("read the list of packages: %v", err)
		}
		place, ours := strings.CutPrefix(p.ImportPath, module)
		if !ours {
			continue
		}
		seen++
		imports := p.Imports
		if strings.HasPrefix(place, "integration") { // it consists of tests
			imports = append(append(imports, p.TestImports...), p.XTestImports...)
		}
		for _, fault := range faults(place, imports) {
			t.Error(fault)
		}
	}
	if seen < 10 {
		t.Fatalf("only %d packages of the module were listed", seen)
	}
}

// faults lists the imports of a place that its direction does not grant.
func faults(place string, imports []string) []string {
	for _, d := range directions {
		if !fits(d.place, place) {
			continue
		}
		var found []string
		for _, i := range imports {
			other, ours := strings.CutPrefix(i, module)
			if ours && other != place && !granted(d.may, place, other) {
				found = append(found, place+" imports "+other)
			}
		}
		return found
	}
	return []string{place + " has no entry among the directions"}
}

func granted(may []string, place, other string) bool {
	for _, m := range may {
		// One network never imports another, nor one stand-in another's parts.
		if strings.HasPrefix(m, "transports/*/fake") && strings.HasPrefix(place, "transports/") &&
			strings.Split(place, "/")[1] != strings.Split(other, "/")[1] {
			continue
		}
		if fits(m, other) {
			return true
		}
	}
	return false
}

func fits(pattern, place string) bool {
	ok, err := path.Match(pattern, place)
	return ok && err == nil
}

// TestDirectionsCatch shows that the law has teeth.
func TestDirectionsCatch(t *testing.T) {
	t.Parallel()
	for place, imported := range map[string]string{
		"core/features/roster":        "core/features/presence",
		"core/features/presence":      "core/store",
		"core/features/vcard":         "core/server",
		"core/jid":                    "core/stanza",
		"core/router":                 "core/stream",
		"core/c2s":                    "core/store",
		"core/server":                 "core/internal/rawstream",
		"transports/slack":            "core/jid",
		"transports/discord":          "transports/slack",
		"transports/echo":             "transports/bridge",
		"transports/bridge":           "core/store",
		"transports/slack/fake":       "transports/slack",
		"transports/slack/fake/check": "transports/discord/fake",
		"config":                      "core/jid",
		"integration":                 "core/stanza",
		"integration/peers":           "transports/slack",
		"cmd/dragoman":                "transports/slack",
		"cmd/xmppbench":               "transports/slack/fake",
		"core/helpers":                "fmt",
	} {
		if len(faults(place, []string{module + imported})) == 0 {
			t.Errorf("%s may import %s", place, imported)
		}
	}
	if found := faults("core/features/roster", []string{module + "core/router", "fmt"}); len(found) > 0 {
		t.Errorf("refused: %v", found)
	}
}

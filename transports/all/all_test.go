package all

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/transports"
)

// Each network has what it declares, under the name of its folder.
func TestNetworks(t *testing.T) {
	t.Parallel()
	listed := map[string]bool{}
	for _, r := range Networks() {
		listed[r.Kind] = true
		n, err := r.New(r.Section(), transports.Environment{Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		if kind := n.Info().Kind; kind != r.Kind {
			t.Errorf("network %q is registered as %q", kind, r.Kind)
		}
		if err := transports.CheckNetwork(n); err != nil {
			t.Error(err)
		}
	}
	folders, err := filepath.Glob("../*/CONFIG.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range folders {
		if kind := filepath.Base(filepath.Dir(f)); !listed[kind] {
			t.Errorf("transports/%s is not among the networks", kind)
		}
	}
}

// The reference of a section is beside the network's code, as it is generated.
func TestReferencesAreCurrent(t *testing.T) {
	t.Parallel()
	for _, r := range Networks() {
		want := config.Section{Name: r.Kind, Doc: r.Doc, Settings: r.Section()}.Reference()
		got, err := os.ReadFile(filepath.Join("..", r.Kind, "CONFIG.md"))
		if err != nil || string(got) != want {
			t.Errorf("transports/%s/CONFIG.md is not what 'go generate ./transports/%s' writes (%v)", r.Kind, r.Kind, err)
		}
	}
}

package outage

import "testing"

// XEP-0455 §2.1: all addresses are in one form; without addresses there is none.
func TestFeature(t *testing.T) {
	t.Parallel()
	if f := Feature(nil); len(f.HostDisco.Forms) != 0 {
		t.Errorf("%d forms", len(f.HostDisco.Forms))
	}
	f := Feature([]string{"https://a.example/status.json", "https://b.example/status.json"})
	if len(f.HostDisco.Forms) != 1 {
		t.Fatalf("%d forms", len(f.HostDisco.Forms))
	}
	if x := f.HostDisco.Forms[0]; x.FormType() != "urn:xmpp:sos:0" || len(x.Values("external-status-addresses")) != 2 {
		t.Errorf("%+v", x)
	}
}

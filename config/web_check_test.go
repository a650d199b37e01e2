package config

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// What keeps clients from uploading is told by config check.
func TestUploadWarnings(t *testing.T) {
	t.Parallel()
	web := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(web.Close)
	for name, c := range map[string]struct {
		set  func(*Config)
		want []string // paths of settings and what is said; none for no warning
	}{
		"alone on this machine": {func(c *Config) { c.Server.Hosts = []string{"localhost"} }, nil},
		"switched off":          {func(c *Config) { c.Upload.Enabled, c.Listen.HTTPTLS = false, nil }, nil},
		"no listener":           {func(c *Config) { c.Listen.HTTP, c.Listen.HTTPTLS = nil, nil }, nil},
		"no address":            {func(c *Config) { c.Listen.HTTPTLS = nil }, []string{"web.url: clients of example.org cannot upload"}},
		"listens here only":     {func(c *Config) { c.Listen.HTTPTLS = []string{"127.0.0.1:5443"} }, []string{"listen.http_tls: 127.0.0.1:5443 is reached on this machine only"}},
		"self-signed":           {func(*Config) {}, []string{"tls.certificate: clients of example.org"}},
		"certificate":           {func(c *Config) { c.TLS.Certificate = "cert.pem" }, nil},
		"address of here":       {func(c *Config) { c.Web.URL = web.URL }, []string{"web.url: http://127.0.0.1"}},
		"no name":               {func(c *Config) { c.Web.URL = "https://files.invalid" }, []string{"web.url: https://files.invalid does not answer"}},
		"no space":              {func(c *Config) { c.Upload.Reserve, c.Server.Hosts = 1<<62, []string{"localhost"} }, []string{"upload.reserve: the disk of "}},
		"no space, but in S3": {func(c *Config) {
			c.Upload.Reserve, c.Upload.S3, c.Server.Hosts = 1<<62, "https://s3.example.org", []string{"localhost"}
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := Default()
			config.Server.Hosts, config.Server.Data, config.Upload.Reserve, config.Upload.Size = []string{"example.org"}, t.TempDir()+"/not/yet", 0, 100<<20
			c.set(&config)
			got := UploadWarnings(t.Context(), config)
			if len(got) != len(c.want) {
				t.Fatalf("warnings: %v", got)
			}
			for i, want := range c.want {
				if !strings.HasPrefix(got[i], want) {
					t.Errorf("%v, want %q", got[i], want)
				}
			}
		})
	}
	// Any answer of the address is good, also a refusal; a connection that is closed is none.
	for url, want := range map[string]int{web.URL: 0, closedAddress(t): 1} {
		c := Default()
		c.Web.URL = strings.Replace(url, "127.0.0.1", "0.0.0.0", 1) // not named like this machine
		var p Problems
		if c.warnOfURL(t.Context(), &p); len(p) != want {
			t.Errorf("%s: %v", url, p)
		}
	}
}

// closedAddress is one on which nothing listens.
func closedAddress(t *testing.T) string {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "http://" + l.Addr().String()
}

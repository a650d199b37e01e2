package config

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"
)

// reachWait is how long an address may take to answer.
const reachWait = 5 * time.Second

// UploadWarnings returns what keeps clients from uploading files, or will, with a valid configuration: no address that they can reach, an
// address that does not answer now, too little space. It opens a connection to web.url. A running server logs these as they occur.
func UploadWarnings(ctx context.Context, c Config) Problems {
	var p Problems
	if !c.Upload.Enabled || c.Web.URL == "" && len(c.Listen.HTTP)+len(c.Listen.HTTPTLS) == 0 {
		return nil // switched off
	}
	if c.Web.URL == "" {
		c.warnWithoutURL(&p)
	} else {
		c.warnOfURL(ctx, &p)
	}
	if c.Upload.S3 == "" {
		c.warnOfSpace(&p)
	}
	return p
}

// warnWithoutURL looks at the addresses that clients are given where web.url is empty.
func (c *Config) warnWithoutURL(p *Problems) {
	for _, host := range c.Server.Hosts {
		switch {
		case len(c.Listen.HTTPTLS) == 0 && (host != "localhost" || len(c.Listen.HTTP) == 0):
			p.add("web.url", "clients of %s cannot upload files: give the https address under which they reach listen.http through a reverse proxy, or an address in listen.http_tls", host)
		case host != "localhost" && onLoopback(c.Listen.HTTPTLS[0]):
			p.add("listen.http_tls", "%s is reached on this machine only, so clients of %s cannot upload files: listen on :5443, or give web.url if a reverse proxy is in front", c.Listen.HTTPTLS[0], host)
		case host != "localhost" && c.TLS.Certificate == "":
			p.add("tls.certificate", "clients of %s upload files only if they trust the self-signed certificate: give one that they trust, or web.url if a reverse proxy is in front", host)
		}
	}
}

// onLoopback reports whether an address to listen on is reached on this machine only.
func onLoopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	return err == nil && loopback(host)
}

// warnOfURL asks for the address that clients are given. Any answer will do: it is that of the proxy if the server is not running.
func (c *Config) warnOfURL(ctx context.Context, p *Problems) {
	u, err := url.Parse(c.Web.URL)
	if err != nil {
		return // validate has reported it
	}
	if loopback(u.Hostname()) {
		for _, host := range c.Server.Hosts {
			if host != "localhost" {
				p.add("web.url", "%s is reached on this machine only, so clients of %s elsewhere cannot upload files", c.Web.URL, host)
				return
			}
		}
		return // it is this server, which need not be running
	}
	ctx, cancel := context.WithTimeout(ctx, reachWait)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, c.Web.URL, nil)
	if err != nil {
		return
	}
	client := http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	answer, err := client.Do(request)
	if err != nil {
		p.add("web.url", "%s does not answer here: %v. Clients upload files to it: check its name in the DNS, the reverse proxy and its certificate", c.Web.URL, unwrapURL(err))
		return
	}
	_ = answer.Body.Close()
}

// unwrapURL returns the cause without the address, which the message has already.
func unwrapURL(err error) error {
	if u, ok := err.(*url.Error); ok {
		return u.Err
	}
	return err
}

// warnOfSpace looks at the disk of the data directory, or at the one on which it will be made.
func (c *Config) warnOfSpace(p *Problems) {
	dir := c.Server.Data
	for {
		if _, err := os.Stat(dir); err == nil || dir == filepath.Dir(dir) {
			break
		}
		dir = filepath.Dir(dir)
	}
	free, known := freeSpace(dir)
	if known && free < int64(c.Upload.Reserve)+int64(c.Upload.Size) {
		p.add("upload.reserve", "the disk of %s has %s left, of which uploads leave %s free: a file of upload.size (%s) is refused", c.Server.Data, Bytes(free), c.Upload.Reserve, c.Upload.Size)
	}
}

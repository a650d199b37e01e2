package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// Web is section [web].
type Web struct {
	URL        string   `toml:"url" doc:"The address under which the HTTP listener can be reached from outside, such as https://files.example.org behind a reverse proxy. Empty: https, the host and the port of the first address in listen.http_tls; for the host localhost without a certificate http and the first address in listen.http. If it is set and begins with https:, invitations have landing pages below it, at /invite/."`
	Proxies    []string `toml:"trusted_proxies" doc:"IP addresses and networks of the reverse proxies whose X-Forwarded-For header names the client, and whose X-Forwarded-Proto header says whether it came over TLS."`
	Clients    bool     `toml:"clients" doc:"Whether XMPP clients, such as those in browsers, may connect by WebSocket (RFC 7395), at the path /ws, and by BOSH (XEP-0206), at /http-bind. Without TLS, only from this machine or through one of the trusted proxies to which they came over TLS, unless tls.required is false."`
	Chat       bool     `toml:"chat" doc:"Whether the web client Converse.js is served at /, which needs clients. Where there are anonymous hosts, it is at /guest for people without an account."`
	Addresses  []string `toml:"addresses" doc:"IP addresses at which the server can be reached from outside. If there are any, the document /.well-known/host-meta.json of each domain says where clients and other servers connect to it (XEP-0487), which then need no SRV records. They fetch it by https from port 443 of the domain. Empty: it names only WebSocket and BOSH."`
	ClientPort int      `toml:"client_port" doc:"Port at these addresses for clients with direct TLS. 0: that of the first address in listen.c2s_tls."`
	ServerPort int      `toml:"server_port" doc:"Port at these addresses for other servers with direct TLS. 0: that of the first address in listen.s2s_tls."`
	Origins    []string `toml:"origins" doc:"Web pages whose scripts may connect, by their origin, such as https://chat.example.org. *: all; a page has no more rights than the person who logs in there. Pages of this server itself always may."`
}

// Upload is section [upload].
type Upload struct {
	Enabled      bool     `toml:"enabled" doc:"Whether accounts may upload files, at the domain upload. and the host. A component with that domain takes its place."`
	Size         Bytes    `toml:"size" reload:"yes" doc:"Size of one file."`
	Daily        Bytes    `toml:"daily" reload:"yes" doc:"Bytes that one account may upload in a day. 0: no limit."`
	DailyFiles   int      `toml:"daily_files" reload:"yes" doc:"Files that one account may upload in a day."`
	Total        Bytes    `toml:"total" reload:"yes" doc:"Bytes of one account's files together. 0: no limit."`
	Keep         Duration `toml:"keep" reload:"yes" doc:"How long files are kept. 0: for ever."`
	ProfileSize  Bytes    `toml:"profile_size" reload:"yes" doc:"Size of one file that is uploaded for a profile, such as an avatar. These are not deleted when they are old."`
	ProfileFiles int      `toml:"profile_files" reload:"yes" doc:"Such files of one account."`
	Reserve      Bytes    `toml:"reserve" reload:"yes" doc:"Space that uploads leave free on their disk."`
	S3           string   `toml:"s3" doc:"Where files are kept instead of in the data directory: the address of an S3-compatible storage, such as https://s3.example.org."`
	S3Bucket     string   `toml:"s3_bucket" doc:"Its bucket, which has to exist and may contain nothing else."`
	S3Region     string   `toml:"s3_region" doc:"Its region."`
	S3Key        string   `toml:"s3_key" doc:"The id of the access key."`
	S3Secret     string   `toml:"s3_secret" secret:"yes" doc:"The secret of the access key."`
	S3SecretFile string   `toml:"s3_secret_file" file:"secret" doc:"File that holds the secret instead."`
	S3Public     string   `toml:"s3_public" doc:"Its address for clients, if they can reach it, such as https://files.example.org. Clients send files straight to it then, at addresses that are signed for one size and good for five minutes, in which they may replace what they have sent, and redirected downloads have this address. For web clients it needs CORS rules. Empty: files are sent to this server."`
	S3Redirect   bool     `toml:"s3_redirect" doc:"Whether downloads are redirected to the storage with signed addresses that are good for a short time. It must be reachable from outside then; for web clients it needs CORS rules. The storage is told the media type and the disposition of a file, and so shows only types that are safe, but sends neither nosniff nor a policy: it should have a name of its own that no other site shares cookies with."`
}

func defaultUpload() Upload {
	return Upload{
		Enabled: true, Size: 100 << 20, Daily: 1 << 30, DailyFiles: 1000, Total: 5 << 30, Keep: Duration(30 * 24 * time.Hour),
		ProfileSize: 2 << 20, ProfileFiles: 50, Reserve: 256 << 20, S3Region: "us-east-1",
	}
}

func defaultWeb() Web { return Web{Clients: true, Chat: true, Origins: []string{"*"}} }

// PublicAddresses returns addresses.
func (w *Web) PublicAddresses() (all []netip.Addr, err error) {
	for _, text := range w.Addresses {
		ip, err := netip.ParseAddr(text)
		if err != nil || ip.Zone() != "" || ip.IsUnspecified() || ip.IsMulticast() {
			return nil, fmt.Errorf("%q is not an IP address at which a server can be reached", text)
		}
		all = append(all, ip)
	}
	return all, nil
}

func (w *Web) validate(p *Problems) {
	if w.URL != "" {
		u, err := url.Parse(w.URL)
		if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			p.add("web.url", "%q is not a URL such as https://files.example.org", w.URL)
		} else if err := CheckBaseURL(w.URL); err != nil {
			p.add("web.url", "%q: clients upload to https only, except on this machine", w.URL)
		}
	}
	if _, err := w.PublicAddresses(); err != nil {
		p.add("web.addresses", "%v", err)
	}
	for path, port := range map[string]int{"web.client_port": w.ClientPort, "web.server_port": w.ServerPort} {
		if port < 0 || port > 65535 {
			p.add(path, "%d is not a port", port)
		}
	}
	for _, text := range w.Origins {
		if u, err := url.Parse(text); text != "*" && (err != nil || u.Scheme == "" || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "") {
			p.add("web.origins", "%q is not an origin such as https://chat.example.org", text)
		}
	}
	for _, text := range w.Proxies {
		if _, err := ParseNetwork(text); err != nil {
			p.add("web.trusted_proxies", "%q is not an address or a network such as 192.0.2.0/24", text)
		}
	}
}

// ParseNetwork reads an IP address or a network.
func ParseNetwork(text string) (netip.Prefix, error) {
	if strings.Contains(text, "/") {
		return netip.ParsePrefix(text)
	}
	a, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Prefix{}, err
	}
	return a.Prefix(a.BitLen())
}

// validatePublic checks the address of the storage for clients.
func (u *Upload) validatePublic(p *Problems) {
	if u.S3Public == "" {
		return
	}
	s, err := url.Parse(u.S3Public)
	if err != nil || s.Host == "" || strings.Trim(s.Path, "/") != "" || s.User != nil || s.RawQuery != "" || s.Fragment != "" {
		p.add("upload.s3_public", "%q is not a URL such as https://files.example.org", u.S3Public)
	} else if err := CheckBaseURL(u.S3Public); err != nil {
		p.add("upload.s3_public", "%q: clients upload to https only, except on this machine", u.S3Public)
	}
}

// maxUpload is the size of the largest object that S3 takes in one request.
const maxUpload = 5 << 30

func (u *Upload) validate(p *Problems) {
	positive(p, "upload.daily_files", int64(u.DailyFiles))
	positive(p, "upload.profile_files", int64(u.ProfileFiles))
	positive(p, "upload.profile_size", int64(u.ProfileSize))
	positive(p, "upload.size", int64(u.Size))
	for path, n := range map[string]Bytes{"upload.daily": u.Daily, "upload.total": u.Total} {
		if n > 0 && n < u.Size {
			p.add(path, "%s is less than upload.size (%s), so the largest file could never be uploaded", n, u.Size)
		}
	}
	if u.S3 == "" {
		if u.S3Public != "" {
			p.add("upload.s3_public", "give s3 too")
		}
		return
	}
	u.validatePublic(p)
	if s, err := url.Parse(u.S3); err != nil || s.Host == "" || s.Scheme != "https" && s.Scheme != "http" || strings.Trim(s.Path, "/") != "" {
		p.add("upload.s3", "%q is not a URL such as https://s3.example.org", u.S3)
	}
	if u.S3Bucket == "" || u.S3Key == "" || u.S3Secret == "" {
		p.add("upload.s3", "give s3_bucket, s3_key and s3_secret too")
	}
	if u.Size > maxUpload {
		p.add("upload.size", "%s is more than %s, which is the most that S3 takes at once", u.Size, Bytes(maxUpload))
	}
}

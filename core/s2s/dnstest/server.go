package dnstest

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/miekg/dns"
)

// Server is a DNS server.
type Server struct {
	Addr netip.AddrPort

	running []*dns.Server
	faults  []error // of those, when they have ended
	all     sync.WaitGroup

	mu      sync.Mutex
	records map[string][]dns.RR // by the name in lower case
	secure  bool
	silent  map[string]bool
	rcodes  map[string]int
	asked   map[string]int // by name and type
}

// Start starts a server that ends with the test. Each record is a line of a zone file.
func Start(t testing.TB, records ...string) *Server {
	t.Helper()
	s, err := Serve(records...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("DNS server: %v", err)
		}
	})
	return s
}

// Serve starts a server that ends with Close.
func Serve(records ...string) (*Server, error) {
	s := &Server{records: map[string][]dns.RR{}, silent: map[string]bool{}, rcodes: map[string]int{}, asked: map[string]int{}}
	if err := s.add(records...); err != nil {
		return nil, err
	}
	tcp, udp, err := listen()
	if err != nil {
		return nil, err
	}
	s.Addr = tcp.Addr().(*net.TCPAddr).AddrPort()
	s.running = []*dns.Server{{Listener: tcp, Handler: s}, {PacketConn: udp, Handler: s}}
	s.faults = make([]error, len(s.running))
	for i, server := range s.running {
		started := make(chan struct{})
		server.NotifyStartedFunc = func() { close(started) }
		s.all.Go(func() { s.faults[i] = server.ActivateAndServe() })
		<-started
	}
	return s, nil
}

// Close ends the server, and returns what has gone wrong.
func (s *Server) Close() error {
	for _, server := range s.running {
		_ = server.Shutdown() // it may have ended because of an error
	}
	s.all.Wait()
	return errors.Join(s.faults...)
}

// listen returns sockets for TCP and UDP at one port.
func listen() (net.Listener, net.PacketConn, error) {
	for range 100 {
		tcp, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, nil, err
		}
		udp, err := net.ListenPacket("udp", tcp.Addr().String())
		if err == nil {
			return tcp, udp, nil
		}
		_ = tcp.Close()
	}
	return nil, nil, errors.New("no port is free for TCP and UDP")
}

// Add adds records.
func (s *Server) Add(t testing.TB, records ...string) {
	t.Helper()
	if err := s.add(records...); err != nil {
		t.Fatal(err)
	}
}

func (s *Server) add(records ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, text := range records {
		r, err := dns.NewRR(text)
		if err != nil {
			return fmt.Errorf("record %q: %w", text, err)
		}
		name := strings.ToLower(r.Header().Name)
		s.records[name] = append(s.records[name], r)
	}
	return nil
}

// Secure makes the server say that it has validated its answers.
func (s *Server) Secure(secure bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secure = secure
}

// Silence makes the server not answer questions for a name.
func (s *Server) Silence(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.silent[dns.Fqdn(strings.ToLower(name))] = true
}

// Fail makes the server answer questions for a name with an error, such as dns.RcodeServerFailure.
func (s *Server) Fail(name string, rcode int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rcodes[dns.Fqdn(strings.ToLower(name))] = rcode
}

// Asked is how often the server was asked for the records of a name, such as "A a.example".
func (s *Server) Asked(question string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[question]
}

// ServeDNS answers a question.
func (s *Server) ServeDNS(w dns.ResponseWriter, question *dns.Msg) {
	if len(question.Question) != 1 {
		return
	}
	if reply := s.reply(question); reply != nil {
		if edns := question.IsEdns0(); edns != nil {
			if _, udp := w.RemoteAddr().(*net.UDPAddr); udp {
				reply.Truncate(int(edns.UDPSize()))
			}
		}
		_ = w.WriteMsg(reply) // who has asked may be gone
	}
}

func (s *Server) reply(question *dns.Msg) *dns.Msg {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := question.Question[0]
	name := strings.ToLower(q.Name)
	s.asked[dns.TypeToString[q.Qtype]+" "+strings.TrimSuffix(name, ".")]++
	if s.silent[name] {
		return nil
	}
	reply := new(dns.Msg).SetReply(question)
	reply.RecursionAvailable = true
	reply.AuthenticatedData = s.secure
	if rcode := s.rcodes[name]; rcode != dns.RcodeSuccess {
		reply.Rcode, reply.AuthenticatedData = rcode, false
		return reply
	}
	for range 8 {
		all, ok := s.records[name]
		if !ok {
			reply.Rcode = dns.RcodeNameError
			break
		}
		next := ""
		for _, r := range all {
			alias, isAlias := r.(*dns.CNAME)
			if r.Header().Rrtype == q.Qtype || isAlias {
				reply.Answer = append(reply.Answer, r)
			}
			if isAlias {
				next = strings.ToLower(alias.Target)
			}
		}
		if next == "" {
			break
		}
		name = next
	}
	return reply
}

//go:build !unix

package stream

// open leaves raw nil: every write here may block, and a Queue starts a goroutine for it.
func (s *socket) open() {}

func (s *socket) push(p []byte) (int, error) { return s.Conn.Write(p) }

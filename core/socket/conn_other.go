//go:build !unix

package socket

// open leaves fd nil: on this platform every write may block, and a caller that must not block writes in a goroutine.
func (s *rawSocket) open() {}

func (s *rawSocket) push(p []byte) (int, error) { return s.Conn.Write(p) }

// open leaves get nil: the TLS layer reads from the socket itself.
func (s *stagedSocket) open() {}

func (s *stagedSocket) wait() {}

package persist

// noNotices: the file is polled. The library for change notices may close a handle
// twice here (fsnotify issue 768), and by then its number can belong to the
// file that is our lock.
const noNotices = true

const crowdLimit = 0

func remote(string) bool { return false }

// A plain Socket.IO server: clients join a room, a publisher emits to it. Usage: node socketio_server.mjs PORT
import { Server } from 'socket.io'

const io = new Server({ transports: ['websocket'], perMessageDeflate: false, serveClient: false })

io.on('connection', (socket) => {
  socket.on('join', async (room, done) => {
    await socket.join(room)
    done()
  })
  socket.on('publish', (event) => {
    io.to(event.topic).emit('event', event)
  })
})

io.listen(Number(process.argv[2]))

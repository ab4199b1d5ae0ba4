import '../css/admin.css'
